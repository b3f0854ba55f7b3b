#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "doors/kafka_rest/profile.h"
#include "doors/kafka_rest/refusal.h"
#include "http/message.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest {

http::Response answer(const Refusal& refusal, const Rules& rules);
// What an error of the log means to a client of the REST Proxy: status, code and, for those that may work later, Retry-After.
http::Response answer(const Error& error, const Rules& rules);
http::Response answer_busy(const Rules& rules);
http::Response not_acceptable();          // 406
http::Response not_found();               // 404, as for a path that nothing is at.
http::Response unsupported_media_type();  // 415

// The answer to a produce whose records fared as `results`, in their order. Each entry of `offsets` tells of one record; error_code is
// 50003 where it may be sent again as it is, 50002 otherwise.
// - All are stored: 200. Some: 200, or 422 as Karapace has it; a client that must know looks at error_code, and sends only those again.
// - None is stored: never 200. 429 (overloaded) or 503 (unavailable), both with Retry-After, mean that nothing happened; 500 / 50002
//   that something may have; 422 that the records break a rule of the topic, and `offsets` says which.
http::Response answer(const std::vector<Result<log::Appended>>& results, const Rules& rules);

// 403 / 40301 in Kafka's words; 401 / 40101 for who showed no credentials. `topic` is empty where no one topic is meant.
Refusal not_authorized(const std::shared_ptr<const access::Caller>& caller, access::Right right,
                       std::string_view topic);
// The same as the answer to a produce: 403 says it of each record too.
http::Response answer_not_authorized(const Refusal& refusal, std::size_t records, const Rules& rules);

}  // namespace pinflow::doors::kafka_rest
