#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <vector>

#include "doors/kinesis/protocol.h"
#include "doors/kinesis/stream.h"
#include "doors/kinesis/stream_book.h"
#include "log/log.h"

namespace pinflow::doors::kinesis {

struct ShardPosition {
  std::int32_t shard = 0;
  log::Offset offset;
};

struct ReadBounds {
  std::size_t records = 0;
  std::size_t bytes = 0;  // A first record that is larger is given all the same.
};

// What is in a shard from a position on.
struct ShardRead {
  std::int32_t shard = 0;
  std::vector<log::StoredRecord> records;
  std::size_t bytes = 0;  // Of data and keys.
  log::Offset next;
  bool at_end = false;  // The shard is closed, and nothing will come behind `next`.
  std::chrono::milliseconds behind{0};
};

// Reads from the disk; waits for nothing. Records that retention took away are passed over, as Kinesis does.
std::expected<ShardRead, Fault> read_shard(log::Log& log, StreamBook& book, const StreamPtr& stream,
                                           const ShardPosition& at, const ReadBounds& bounds, std::string_view account,
                                           WallTime now);

// The member Records.
void write_records(Writer& out, const Stream& stream, const ShardRead& read);
// The member ChildShards, at the end of the shard alone.
void write_shard_end(Writer& out, const Stream& stream, const ShardRead& read);

}  // namespace pinflow::doors::kinesis
