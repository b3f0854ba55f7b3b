#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "doors/kinesis/protocol.h"
#include "doors/kinesis/stream.h"
#include "log/log.h"

namespace pinflow::doors::kinesis {

// Where a reader wants to begin, in the words of GetShardIterator and of StartingPosition.
struct WantedPosition {
  std::string_view type;
  std::optional<std::string_view> number{};
  std::optional<WallTime> time{};
  std::string_view operation = "GetShardIterator";  // For error texts.
};

// The offset where that is. A time reads from the disk.
std::expected<log::Offset, Fault> find_position(log::Log& log, const Stream& stream, std::int32_t shard,
                                                const WantedPosition& wanted, std::string_view account, WallTime now);

}  // namespace pinflow::doors::kinesis
