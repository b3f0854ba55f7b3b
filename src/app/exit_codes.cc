#include "app/environment.h"
#include "base/check.h"

namespace pinflow::app {

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kNotFound:
      return kUsage;
    case ErrorCode::kConflict:
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
      return kUnavailable;
    case ErrorCode::kCorrupt:
      return kStorage;
    case ErrorCode::kCancelled:
      return kInterrupted;
  }
  CHECK(false, "an error code outside its enum");
}

}  // namespace pinflow::app
