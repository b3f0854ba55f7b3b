#pragma once

#include <vector>

#include "doors/kafka_rest/produce_request.h"
#include "http/message.h"

namespace pinflow::doors::kafka_rest {

http::Response answer(const Refusal& refusal);
// What an error of the log means to a client of the REST Proxy: status, code and, for those that may work later, Retry-After.
http::Response answer(const Error& error);

// The answer to a produce whose records fared as `results`, in their order.
// - At least one is stored: 200, each of the others with its own error_code and error, as the REST Proxy does. (A client that must
//   know looks at error_code, and sends only those again.)
// - None is stored: never 200. 429 (overloaded) or 503 (unavailable), both with Retry-After, mean that nothing happened;
//   500 / 50002 that something may have.
http::Response answer(const std::vector<Result<log::Appended>>& results);

}  // namespace pinflow::doors::kafka_rest
