#include "doors/kafka_rest/answers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"

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

}  // namespace

http::Response answer(const Refusal& refusal) {
  return http::Response::failure(refusal.status, refusal.code, refusal.message, kAnswerType);
}

http::Response answer(const Error& error) {
  const auto [status, code, retry] = meaning(error.code);
  auto response = http::Response::failure(status, code, error.message, kAnswerType);
  if (retry) response.headers.add("Retry-After", "1");
  return response;
}

http::Response answer(const std::vector<Result<log::Appended>>& results) {
  const bool any_stored = std::ranges::any_of(results, [](const auto& result) { return result.has_value(); });
  if (!any_stored && !results.empty()) {
    const auto worst =
        std::ranges::max_element(results, {}, [](const auto& result) { return gravity(result.error().code); });
    return answer(worst->error());
  }
  std::string body = R"({"offsets":[)";
  body.reserve(64 + results.size() * 72);
  const auto out = std::back_inserter(body);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i > 0) body += ',';
    if (const auto& result = results[i]) {
      fmt::format_to(out, R"({{"partition":{},"offset":{},"error_code":null,"error":null}})", result->partition.value(),
                     result->offset.value());
    } else {
      fmt::format_to(out, R"({{"partition":null,"offset":null,"error_code":{},"error":)",
                     record_code(result.error().code));
      append_json_string(body, result.error().message);
      body += '}';
    }
  }
  body += R"(],"key_schema_id":null,"value_schema_id":null})";
  return http::Response::json(200, std::move(body), kAnswerType);
}

}  // namespace pinflow::doors::kafka_rest
