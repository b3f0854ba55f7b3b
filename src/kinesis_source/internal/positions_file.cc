#include "kinesis_source/internal/positions_file.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"

namespace pinflow::kinesis_source::internal {

namespace {

constexpr std::int64_t kFormat = 1;

disk::Path file_of(const disk::Path& folder, const std::string& stream) {
  return folder / (stream + ".json");
}

Error damaged(const disk::Path& path, std::string_view why) {
  return {
      ErrorCode::kCorrupt,
      fmt::format("{} {}. Remove it: then the topic is read from its beginning to learn how far the stream is copied",
                  path.string(), why)};
}

Result<Positions> parse(std::string_view text, const disk::Path& path) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::int64_t format = 0;
  std::string_view id;
  simdjson::dom::array seen;
  simdjson::dom::object shards;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
      root["format"].get(format) != simdjson::SUCCESS)
    return fail(damaged(path, "is no file of positions"));
  if (format != kFormat)
    return fail(ErrorCode::kInvalid,
                fmt::format("{} has format {}, and this program reads format {}", path.string(), format, kFormat));
  if (root["topic_id"].get(id) != simdjson::SUCCESS || root["seen"].get(seen) != simdjson::SUCCESS ||
      root["shards"].get(shards) != simdjson::SUCCESS)
    return fail(damaged(path, "is not whole"));
  Positions positions;
  TRY_ASSIGN(positions.topic_id, Uuid::parse(id));
  std::int32_t partition = 0;
  for (const simdjson::dom::element offset : seen) {
    std::int64_t value = 0;
    if (offset.get(value) != simdjson::SUCCESS || value < 0) return fail(damaged(path, "has an offset that is none"));
    positions.seen[log::PartitionId(partition++)] = log::Offset(value);
  }
  for (const auto& [name, shard] : shards) {
    ShardPosition position;
    if (std::string_view complete; shard["complete"].get(complete) == simdjson::SUCCESS)
      position.complete = std::string(complete);
    if (shard["finished"].get(position.finished) != simdjson::SUCCESS) return fail(damaged(path, "is not whole"));
    if (std::int64_t millis = 0; shard["read_until"].get(millis) == simdjson::SUCCESS)
      position.read_until = WallTime(std::chrono::milliseconds(millis));
    positions.shards.emplace(std::string(name), std::move(position));
  }
  return positions;
}

}  // namespace

Result<std::optional<Positions>> read_positions(disk::Disk& disk, const disk::Path& folder, const std::string& stream) {
  const disk::Path path = file_of(folder, stream);
  const auto text = disk.read_file(path);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!text) return fail(text.error());
  TRY_ASSIGN(auto positions, parse(*text, path));
  return positions;
}

Result<void> write_positions(disk::Disk& disk, const disk::Path& folder, const std::string& stream,
                             const Positions& positions) {
  JsonWriter json;
  json.begin_object().key("format").integer(kFormat).key("topic_id").string(positions.topic_id.to_string());
  json.key("seen").begin_array();
  std::int32_t next = 0;
  for (const auto& [partition, offset] : positions.seen) {
    for (; next < partition.value(); ++next) json.integer(0);
    json.integer(offset.value());
    ++next;
  }
  json.end_array().key("shards").begin_object();
  for (const auto& [id, position] : positions.shards) {
    json.key(id).begin_object();
    if (position.complete) json.key("complete").string(*position.complete);
    json.key("finished").boolean(position.finished);
    if (position.read_until) json.key("read_until").integer(position.read_until->time_since_epoch().count());
    json.end_object();
  }
  json.end_object().end_object();
  TRY(disk.create_folders(folder));
  return disk.write_file(file_of(folder, stream), std::move(json).take());
}

}  // namespace pinflow::kinesis_source::internal
