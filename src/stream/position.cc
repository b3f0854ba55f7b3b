#include "stream/position.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/timestamp.h"

namespace pinflow::stream {

Result<Position> parse_position(std::string_view text) {
  if (text == "earliest") return Earliest{};
  if (text == "latest") return Latest{};
  std::int64_t offset = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size() && offset >= 0) {
    return log::Offset(offset);
  }
  if (const auto time = parse_iso8601(text)) return *time;
  return fail(
      ErrorCode::kInvalid,
      fmt::format("'{}' is no place in a stream: write earliest, latest, an offset, or a time with its zone such "
                  "as 2026-11-22T10:15:00Z",
                  text));
}

Result<log::Offset> find_offset(log::Log& log, const log::TopicPartition& partition, const Position& position) {
  TRY_ASSIGN(const log::OffsetRange range, log.offsets(partition));
  if (std::holds_alternative<Earliest>(position)) return range.begin;
  if (const auto* offset = std::get_if<log::Offset>(&position)) return std::clamp(*offset, range.begin, range.end);
  if (const auto* time = std::get_if<WallTime>(&position)) {
    TRY_ASSIGN(const auto found, log.find_time(partition, *time));
    return found ? std::clamp(found->offset, range.begin, range.end) : range.end;
  }
  return range.end;
}

}  // namespace pinflow::stream
