#include "emulator/internal/verdict.h"

#include <charconv>

#include <fmt/format.h>

namespace pinflow::emulator::internal {

namespace {

using Is = Verdict::Is;

// The number after `"name":` in a flat piece of JSON. Answers are read this way and no other: they are short, their
// form is fixed, and what is not found counts as not stored.
std::optional<std::int64_t> number_of(std::string_view json, std::string_view name) {
  const std::string key = fmt::format("\"{}\"", name);
  std::size_t at = json.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  at = json.find_first_not_of(" \t\r\n", at + key.size());
  if (at == std::string_view::npos || json[at] != ':') return std::nullopt;
  at = json.find_first_not_of(" \t\r\n", at + 1);
  std::int64_t value = 0;
  if (at == std::string_view::npos) return std::nullopt;
  if (std::from_chars(json.data() + at, json.data() + json.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

std::string beginning(std::string_view text) {
  std::string shown(text.substr(0, 200));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return shown;
}

Verdict judge_topics(std::string_view body) {
  const auto offset = number_of(body, "offset");
  const auto error = number_of(body, "error_code");
  if (offset && *offset >= 0 && !error) return {.is = Is::kStored};
  // 2 and 50003 are the ways in which REST proxies say that it may work later.
  const bool later = error && (*error == 2 || *error == 50'003);
  return {.is = later ? Is::kTryAgain : Is::kRefused,
          .reason = fmt::format("answered 200 with an error: {}", beginning(body))};
}

Verdict judge_streams(std::string_view body) {
  if (body.find("\"SequenceNumber\"") != std::string_view::npos) return {.is = Is::kStored};
  bool later = false;
  for (const std::string_view name :
       {"ProvisionedThroughputExceeded", "InternalFailure", "ServiceUnavailable", "Throttling"}) {
    later |= body.find(name) != std::string_view::npos;
  }
  return {.is = later ? Is::kTryAgain : Is::kRefused,
          .reason = fmt::format("answered 200 with an error: {}", beginning(body))};
}

std::optional<std::chrono::milliseconds> retry_after(const http::Response& answer) {
  const auto text = answer.headers.get("Retry-After");
  if (!text) return std::nullopt;
  unsigned seconds = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, seconds);
  // The other form, a date, says little between clocks that differ.
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

Verdict judge(Target target, const Result<http::Response>& answer) {
  if (!answer) {
    const bool hopeless = answer.error().code == ErrorCode::kInvalid;
    return {.is = hopeless ? Is::kRefused : Is::kTryAgain,
            .unknown = answer.error().code == ErrorCode::kUnknownOutcome,
            .reason = answer.error().message};
  }
  if (answer->status >= 200 && answer->status < 300) {
    return target == Target::kTopics ? judge_topics(answer->body) : judge_streams(answer->body);
  }
  const bool later = answer->status == 408 || answer->status == 429 || answer->status >= 500;
  return {.is = later ? Is::kTryAgain : Is::kRefused,
          .wait = retry_after(*answer),
          .reason = fmt::format("answered {}: {}", answer->status, beginning(answer->body))};
}

}  // namespace pinflow::emulator::internal
