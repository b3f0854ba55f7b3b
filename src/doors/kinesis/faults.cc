#include "doors/kinesis/faults.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace pinflow::doors::kinesis {

Fault invalid_argument(std::string message) {
  return {"InvalidArgumentException", std::move(message), 400};
}

Fault validation(std::string message) {
  return {"ValidationException", std::move(message), 400};
}

Fault limit_exceeded(std::string message) {
  return {"LimitExceededException", std::move(message), 400};
}

Fault resource_in_use(std::string message) {
  return {"ResourceInUseException", std::move(message), 400};
}

Fault internal_failure() {
  return {"InternalFailure", "", 500};
}

Fault stream_not_found(std::string_view stream, std::string_view account) {
  return {"ResourceNotFoundException", fmt::format("Stream {} under account {} not found.", stream, account), 400};
}

Fault stream_not_active(const Stream& stream, std::string_view account) {
  return resource_in_use(fmt::format("Stream {} under account {} not ACTIVE, instead in state {}", stream.name(),
                                     account, to_string(stream.status())));
}

Fault shard_does_not_exist(std::int32_t shard, std::string_view stream, std::string_view account) {
  return {"ResourceNotFoundException",
          fmt::format("Shard {} in stream {} under account {} does not exist", shard_id(shard), stream, account), 400};
}

Fault shard_not_found(std::string_view shard, std::string_view stream, std::string_view account) {
  return {"ResourceNotFoundException",
          fmt::format("Could not find shard {} in stream {} under account {}.", shard, stream, account), 400};
}

Fault rate_exceeded(std::int32_t shard, std::string_view stream, std::string_view account) {
  return {"ProvisionedThroughputExceededException",
          fmt::format("Rate exceeded for shard {} in stream {} under account {}.", shard_id(shard), stream, account),
          400};
}

Fault access_denied(const Call& call, std::string_view resource) {
  return {
      "AccessDeniedException",
      fmt::format("User: arn:aws:iam::{}:user/{} is not authorized to perform: kinesis:{} on resource: {} because no "
                  "identity-based policy allows the kinesis:{} action",
                  call.account, call.caller == nullptr ? "anonymous" : call.caller->name(), call.operation, resource,
                  call.operation),
      400};
}

Fault busy() {
  return {"ServiceUnavailable", "Too many calls wait to be served; try again.", 503};
}

Fault fault_of(const Error& error, std::string_view stream, std::string_view account) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return stream_not_found(stream, account);
    case ErrorCode::kOverloaded:
      return {"ProvisionedThroughputExceededException",
              fmt::format("Rate exceeded for stream {} under account {}.", stream, account), 400};
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return {"ServiceUnavailable", error.message, 503};
    case ErrorCode::kInvalid:
      return invalid_argument(error.message);
    case ErrorCode::kConflict:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCorrupt:
      return {"InternalFailure", error.message, 500};
  }
  return internal_failure();
}

std::string utc_text(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return fmt::format("{:%a %b %d %H:%M:%S} UTC {:%Y}", fmt::gmtime(static_cast<std::time_t>(seconds)),
                     fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace pinflow::doors::kinesis
