#include "doors/streams/iterator.h"

#include <array>
#include <charconv>

#include <fmt/core.h>

#include "base/base64.h"

namespace pinflow::doors::streams {

namespace {
template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}
}  // namespace

std::string ShardIterator::encode() const {
  return base64_encode(fmt::format("1 {} {} {} {} {}", stream, stream_id.to_string(), shard.value(), offset.value(),
                                   issued.time_since_epoch().count()));
}

std::optional<ShardIterator> ShardIterator::decode(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  const auto decoded = base64_decode(text);
  if (!decoded) return std::nullopt;
  std::array<std::string_view, 6> parts;
  std::string_view rest = *decoded;
  for (auto& part : parts) {
    const auto space = std::min(rest.find(' '), rest.size());
    part = rest.substr(0, space);
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  const auto id = Uuid::parse(parts[2]);
  std::int32_t shard = 0;
  std::int64_t offset = 0;
  std::int64_t issued = 0;
  const bool good = parts[0] == "1" && id && parse_number(parts[3], shard) && parse_number(parts[4], offset) &&
                    parse_number(parts[5], issued) && rest.empty();
  if (!good) return std::nullopt;
  return ShardIterator{std::string(parts[1]), *id, log::PartitionId(shard), log::Offset(offset),
                       WallTime(std::chrono::milliseconds(issued))};
}

}  // namespace pinflow::doors::streams
