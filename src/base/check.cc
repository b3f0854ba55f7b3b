#include "base/check.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/core.h>

#include "base/error.h"

namespace pinflow {

namespace internal {
void check_failed(std::string_view condition, std::string_view message, const char* file, int line) {
  fmt::print(stderr, "pinflow: a promise of the program is broken: {} ({}) at {}:{}\n", message, condition, file, line);
  std::fflush(stderr);
  std::abort();
}
}  // namespace internal

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kUnknownOutcome:
      return "unknown_outcome";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  CHECK(false, "an error code outside its enum");
}

Error Error::with_context(std::string_view context) && {
  message = fmt::format("{}: {}", context, message);
  return std::move(*this);
}

}  // namespace pinflow
