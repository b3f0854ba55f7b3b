#include "doors/kafka_rest/answers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "doors/denied.h"

namespace pinflow::doors::kafka_rest {

namespace {

struct Meaning {
  int status;
  int code;
  bool retry;
};

Meaning meaning(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return {400, 40002, false};
    case ErrorCode::kNotFound:
      return {404, 40403, false};
    case ErrorCode::kConflict:
      return {409, 40903, false};
    case ErrorCode::kOverloaded:
      return {429, 42901, true};
    case ErrorCode::kUnavailable:
      return {503, 50003, true};
    case ErrorCode::kUnknownOutcome:
      return {500, 50002, false};
    case ErrorCode::kCorrupt:
      return {500, 50002, false};
    case ErrorCode::kCancelled:
      return {503, 50003, true};
  }
  return {500, 50002, false};
}

// The error_code of one record: 50003 may be sent again, 50002 not without a look.
int record_code(ErrorCode code) {
  return meaning(code).retry ? 50003 : 50002;
}

// Which of several failures speaks for all: the one that asks for most care.
int gravity(ErrorCode code) {
  if (code == ErrorCode::kUnknownOutcome) return 3;
  return meaning(code).retry ? (code == ErrorCode::kOverloaded ? 1 : 2) : 0;
}

void write_failed_record(std::string& out, int code, std::string_view message) {
  fmt::format_to(std::back_inserter(out), R"({{"partition":null,"offset":null,"error_code":{},"error":)", code);
  append_json_string(out, message);
  out += '}';
}

// What a produce answer ends with.
constexpr std::string_view kNoSchemas = R"(],"key_schema_id":null,"value_schema_id":null})";

std::string begin_failure(int code, std::string_view message) {
  std::string body = fmt::format(R"({{"error_code":{},"message":)", code);
  append_json_string(body, message);
  body += R"(,"offsets":[)";
  return body;
}

}  // namespace

http::Response answer(const Refusal& refusal, const Rules& rules) {
  if (refusal.status == 401) return unauthenticated(refusal.message, {}, rules.answer_type);
  auto response = http::Response::failure(refusal.status, refusal.code, refusal.message, rules.answer_type);
  if (refusal.code == 50003) response.headers.add("Retry-After", "1");
  return response;
}

http::Response answer(const Error& error, const Rules& rules) {
  const auto [status, code, retry] = meaning(error.code);
  auto response = http::Response::failure(status, code, error.message, rules.answer_type);
  if (retry) response.headers.add("Retry-After", "1");
  return response;
}

http::Response answer_busy(const Rules& rules) {
  return answer(Error{ErrorCode::kUnavailable, "too many requests wait to ask the log; try again"}, rules);
}

http::Response not_acceptable() {
  return http::Response::failure(406, 406, "HTTP 406 Not Acceptable");
}

http::Response not_found() {
  return http::Response::failure(404, 404, "HTTP 404 Not Found");
}

http::Response unsupported_media_type() {
  auto response = http::Response::failure(415, 415, "HTTP 415 Unsupported Media Type");
  response.headers.add("Accept", "application/vnd.kafka.json.v2+json, application/vnd.kafka.binary.v2+json");
  return response;
}

http::Response answer(const std::vector<Result<log::Appended>>& results, const Rules& rules) {
  const auto is_stored = [](const auto& result) { return result.has_value(); };
  const bool all_stored = std::ranges::all_of(results, is_stored);
  const bool none_stored = !all_stored && std::ranges::none_of(results, is_stored);
  std::string body = R"({"offsets":[)";
  int status = all_stored ? 200 : rules.failed_records_status;
  if (none_stored) {
    const auto worst =
        std::ranges::max_element(results, {}, [](const auto& result) { return gravity(result.error().code); });
    if (worst->error().code != ErrorCode::kInvalid) return answer(worst->error(), rules);
    status = 422;
    body = begin_failure(422, worst->error().message);
  }
  body.reserve(body.size() + 64 + results.size() * 72);
  const auto out = std::back_inserter(body);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i > 0) body += ',';
    if (const auto& result = results[i]) {
      fmt::format_to(out, R"({{"partition":{},"offset":{},"error_code":null,"error":null}})", result->partition.value(),
                     result->offset.value());
    } else {
      write_failed_record(body, record_code(result.error().code), result.error().message);
    }
  }
  body += kNoSchemas;
  return http::Response::json(status, std::move(body), rules.answer_type);
}

Refusal not_authorized(const std::shared_ptr<const access::Caller>& caller, access::Right right,
                       std::string_view topic) {
  if (caller && caller->is_anonymous()) return {401, 40101, denial(caller, right, topic)};
  if (topic.empty()) return {403, 40301, denial(caller, right, topic)};
  return {403, 40301, fmt::format("Not authorized to access topics: [{}]", topic)};
}

http::Response answer_not_authorized(const Refusal& refusal, std::size_t records, const Rules& rules) {
  if (refusal.status == 401) return answer(refusal, rules);
  const std::string& message = refusal.message;
  std::string body = begin_failure(40301, message);
  for (std::size_t i = 0; i < records; ++i) {
    if (i > 0) body += ',';
    write_failed_record(body, 40301, message);
  }
  body += kNoSchemas;
  return http::Response::json(403, std::move(body), rules.answer_type);
}

}  // namespace pinflow::doors::kafka_rest
