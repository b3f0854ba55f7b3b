#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "log/log.h"

namespace pinflow::doors::streams {

// Where a record lies in a stream, in the form that Kinesis clients know: 56 decimal digits of the 47 hexadecimal digits
//   2 | creation of the shard, s: 9 | shard mod 16: 1 | counter: 16 | 00 | arrival, s: 9 | shard: 8 | 2
// The counter is the log offset plus one, so the number follows from what the log keeps, is the same whenever the record is
// read, rises within a shard, and lies above the shard's starting number (counter 0).
std::string sequence_number(std::chrono::sys_seconds created, log::PartitionId shard, std::int64_t counter,
                            std::chrono::sys_seconds arrived);

std::string record_sequence_number(const log::Topic& stream, const log::Appended& place, WallTime arrived);
std::string starting_sequence_number(const log::Topic& stream, log::PartitionId shard);

// "shardId-000000000003".
std::string shard_id(log::PartitionId shard);
// Reads "shardId-3", "a-0003" or "3": the digits after the first '-'. Empty: no such form.
std::optional<log::PartitionId> parse_shard_id(std::string_view text);

// The topic of a new stream. Its creation time is kept among the topic's settings; a topic made in another way has the
// creation time 0 in its sequence numbers.
log::TopicSpec stream_spec(std::string name, std::int32_t shards, WallTime created);
std::chrono::sys_seconds creation_time(const log::Topic& stream);

}  // namespace pinflow::doors::streams
