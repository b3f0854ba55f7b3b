#include "batch/internal/positions.h"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "sink/object_name.h"

namespace pinflow::batch::internal {

namespace {

constexpr std::string_view kPrefix = "pinflow-batch/";

// FNV-1a of 64 bits, without the sign: it only tells texts apart that one author wrote.
std::int64_t number_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return static_cast<std::int64_t>(hash >> 1U);
}

std::string id_of(std::string_view topic_id, const log::TopicPartition& partition) {
  return fmt::format("{}{}/{}/{}", kPrefix, topic_id, partition.topic, partition.partition.value());
}

// "pinflow-batch/<topic id>/<topic>/<partition>".
struct Position {
  std::string topic_id;
  log::TopicPartition partition;
};

std::optional<Position> parse(std::string_view app_id) {
  if (!app_id.starts_with(kPrefix)) return std::nullopt;
  app_id.remove_prefix(kPrefix.size());
  const std::size_t id_end = app_id.find('/');
  const std::size_t topic_end = app_id.rfind('/');
  if (id_end == app_id.npos || topic_end <= id_end) return std::nullopt;
  std::int32_t number = 0;
  const char* const end = app_id.data() + app_id.size();
  const auto [read, error] = std::from_chars(app_id.data() + topic_end + 1, end, number);
  if (error != std::errc() || read != end) return std::nullopt;
  return Position{std::string(app_id.substr(0, id_end)),
                  {std::string(app_id.substr(id_end + 1, topic_end - id_end - 1)), log::PartitionId(number)}};
}

std::string maker_id(std::string_view what) {
  return fmt::format("{}made-by {}", kPrefix, what);
}

}  // namespace

Result<std::string> TopicIds::of(const std::string& topic) {
  if (const auto known = ids_.find(topic); known != ids_.end()) return known->second;
  auto text = objects_.get(sink::identity_name(topic));
  if (!text && text.error().code != ErrorCode::kNotFound) return fail(std::move(text).error());
  std::string id = text ? text->substr(0, text->find('\n')) : "-";
  return ids_.emplace(topic, std::move(id)).first->second;
}

Result<LoadedThrough> loaded_through(const delta::Snapshot& snapshot, TopicIds& ids) {
  LoadedThrough loaded;
  for (const auto& [app_id, version] : snapshot.transactions) {
    const auto position = parse(app_id);
    if (!position) continue;
    TRY_ASSIGN(const std::string id, ids.of(position->partition.topic));
    if (id == position->topic_id) loaded[position->partition] = log::Offset(version);
  }
  return loaded;
}

Result<std::vector<delta::Transaction>> transactions_of(const LoadedThrough& loaded, TopicIds& ids) {
  std::vector<delta::Transaction> transactions;
  for (const auto& [partition, through] : loaded) {
    TRY_ASSIGN(const std::string id, ids.of(partition.topic));
    transactions.push_back({id_of(id, partition), through.value()});
  }
  return transactions;
}

delta::Transaction made_by(std::string_view what, std::string_view text) {
  return {maker_id(what), number_of(text)};
}

bool is_made_by(const delta::Snapshot& snapshot, std::string_view what, std::string_view text) {
  const auto found = snapshot.transactions.find(maker_id(what));
  return found != snapshot.transactions.end() && found->second == number_of(text);
}

}  // namespace pinflow::batch::internal
