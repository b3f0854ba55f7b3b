#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "doors/kinesis/stream_state.h"

namespace pinflow::doors::kinesis {

// What a consumer's ARN says behind the stream's: ".../consumer/<name>:<creation, s>".
struct ConsumerName {
  std::string_view name;
  std::int64_t created = 0;
};
// Empty: not the ARN of a consumer. The text must outlive the result.
std::optional<ConsumerName> parse_consumer_arn(std::string_view arn);
std::string consumer_arn(std::string_view stream_arn, const Consumer& consumer);

// Empty: the stream has no such consumer (any more).
const Consumer* find_consumer(const StreamState& state, const ConsumerName& name);
const Consumer* find_consumer(const StreamState& state, std::string_view name);

}  // namespace pinflow::doors::kinesis
