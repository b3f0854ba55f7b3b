#pragma once

#include <cstdint>

#include "doors/kinesis/protocol.h"
#include "doors/kinesis/stream.h"

namespace pinflow::doors::kinesis {

// A shard as DescribeStream and ListShards tell it. A parent that is not told any more is left out.
void write_shard(Writer& out, const Stream& stream, std::int32_t index, WallTime now);
// The member ChildShards of GetRecords and SubscribeToShard, at the end of a closed shard.
void write_children(Writer& out, const Stream& stream, std::int32_t parent);

}  // namespace pinflow::doors::kinesis
