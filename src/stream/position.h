#pragma once

#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"

namespace pinflow::stream {

// A place in the partitions of a stream, as people name it.
struct Earliest {};  // The first record that is still there.
struct Latest {};    // Behind the last one there is when it is looked up.
// A time stands for the first record (by offset) that is not older.
using Position = std::variant<Earliest, Latest, log::Offset, WallTime>;

// Reads "earliest", "latest", an offset, or a time such as 2026-11-22T10:15:00Z. kInvalid says what is understood.
Result<Position> parse_position(std::string_view text);

// The offset that a place is in one partition now, kept within what the partition has.
Result<log::Offset> find_offset(log::Log& log, const log::TopicPartition& partition, const Position& position);

}  // namespace pinflow::stream
