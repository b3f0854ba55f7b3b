#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest_v3 {

// Why a request, or one record of it, is refused, in the form of the REST Proxy: {"error_code": code, "message": message}.
struct Refusal {
  int status = 400;
  int code = 400;
  std::string message;
};

Refusal payload_error(std::string_view why);  // 422 / 42206
Refusal no_cluster(std::string_view id);      // 404 / 404
Refusal no_topic(std::string_view name);      // 404 / 40403
Refusal no_partition();                       // 404 / 40402
Refusal no_group(std::string_view id);        // 404 / 40405
Refusal not_found(std::string_view what);     // 404 / 404
Refusal bad_json(std::string_view why);       // 400 / 400
Refusal broker_says(std::string message);     // 400 / 40002: what Kafka's broker calls invalid.
Refusal busy();                               // 503 / 50003

// What an error of the log means for a request about topics.
Refusal refusal_of(const Error& error);
// The same for one record that should have been stored.
Refusal refusal_of_record(const Error& error);

// With Retry-After where it may work later.
http::Response answer(const Refusal& refusal);
http::Response json(int status, std::string body);
http::Response no_content();

}  // namespace pinflow::doors::kafka_rest_v3
