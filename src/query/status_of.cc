#include "query/status_of.h"

namespace pinflow::query {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kOverloaded:
      return 422;  // The statement is understood and asks for too much: it would next time too.
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kCorrupt:
      return 500;
  }
  return 500;
}

}  // namespace pinflow::query
