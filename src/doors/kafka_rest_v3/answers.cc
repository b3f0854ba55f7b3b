#include "doors/kafka_rest_v3/answers.h"

#include <fmt/core.h>

#include "doors/idempotency.h"

namespace pinflow::doors::kafka_rest_v3 {

Refusal payload_error(std::string_view why) {
  return {422, 42206, fmt::format("Payload error. {}", why)};
}
Refusal no_cluster(std::string_view id) {
  return {404, 404, fmt::format("Cluster {} cannot be found.", id)};
}
Refusal no_topic(std::string_view name) {
  return {404, 40403, fmt::format("This server does not host this topic-partition. There is no topic '{}'.", name)};
}
Refusal no_partition() {
  return {404, 40402, "Partition not found."};
}
Refusal no_group(std::string_view id) {
  return {404, 40405, fmt::format("Consumer group id not found. There is no group '{}'.", id)};
}
Refusal not_found(std::string_view what) {
  return {404, 404, fmt::format("{} cannot be found.", what)};
}
Refusal bad_json(std::string_view why) {
  return {400, 400, fmt::format("Bad Request: the body is not valid: {}", why)};
}
Refusal broker_says(std::string message) {
  return {400, 40002, std::move(message)};
}
Refusal busy() {
  return {503, 50003, "too many requests wait to ask the log; try again"};
}

Refusal refusal_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kConflict:
      return broker_says(error.message);
    case ErrorCode::kNotFound:
      return {404, 40403, fmt::format("This server does not host this topic-partition. {}", error.message)};
    case ErrorCode::kOverloaded:
      return {429, 42901, error.message};
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return {503, 50003, error.message};
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCorrupt:
      return {500, 50002, error.message};
  }
  return {500, 50002, error.message};
}

Refusal refusal_of_record(const Error& error) {
  if (error.code == ErrorCode::kInvalid) return {413, 413, error.message};  // Of records, only their size is refused.
  if (error.code == ErrorCode::kConflict) return {422, 422, std::string(kOtherContent)};
  return refusal_of(error);
}

http::Response answer(const Refusal& refusal) {
  auto response = http::Response::failure(refusal.status, refusal.code, refusal.message);
  if (refusal.status == 429 || refusal.status == 503) response.headers.add("Retry-After", "1");
  return response;
}

http::Response json(int status, std::string body) {
  return http::Response::json(status, std::move(body));
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace pinflow::doors::kafka_rest_v3
