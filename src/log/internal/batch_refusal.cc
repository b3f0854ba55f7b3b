#include "log/internal/batch_refusal.h"

namespace pinflow::log {
namespace {

BatchFault fault_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return BatchFault::kUnknownTopicOrPartition;
    case ErrorCode::kInvalid:
      return BatchFault::kMessageTooLarge;  // Larger than all that may wait.
    case ErrorCode::kOverloaded:
      return BatchFault::kOverloaded;
    case ErrorCode::kUnknownOutcome:
      return BatchFault::kUnknownOutcome;
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCorrupt:
    case ErrorCode::kCancelled:
      return BatchFault::kStorage;
  }
  return BatchFault::kStorage;
}

}  // namespace

BatchRefusal refusal_of(const Error& error) {
  return {fault_of(error.code), error.message, {}};
}

}  // namespace pinflow::log
