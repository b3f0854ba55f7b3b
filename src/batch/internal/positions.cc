#include "batch/internal/positions.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/check.h"
#include "sink/object_name.h"

namespace pinflow::batch::internal {

namespace {

constexpr std::string_view kPrefix = "pinflow-batch/";       // Offsets of objects without plan.
constexpr std::string_view kPlans = "pinflow-batch-plans/";  // Numbers of plans.
constexpr std::string_view kDuckdbWriter = "pinflow-batch/engine duckdb";

// FNV-1a of 64 bits, without the sign: it only tells texts apart that one author wrote.
std::int64_t number_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return static_cast<std::int64_t>(hash >> 1U);
}

std::string id_of(std::string_view prefix, std::string_view topic_id, const log::TopicPartition& partition) {
  return fmt::format("{}{}/{}/{}", prefix, topic_id, partition.topic, partition.partition.value());
}

// "pinflow-batch/<topic id>/<topic>/<partition>".
struct AppId {
  std::string topic_id;
  log::TopicPartition partition;
};

std::optional<AppId> parse(std::string_view app_id, std::string_view prefix) {
  if (!app_id.starts_with(prefix)) return std::nullopt;
  app_id.remove_prefix(prefix.size());
  const std::size_t id_end = app_id.find('/');
  const std::size_t topic_end = app_id.rfind('/');
  if (id_end == app_id.npos || topic_end <= id_end) return std::nullopt;
  std::int32_t number = 0;
  const char* const end = app_id.data() + app_id.size();
  const auto [read, error] = std::from_chars(app_id.data() + topic_end + 1, end, number);
  if (error != std::errc() || read != end) return std::nullopt;
  return AppId{std::string(app_id.substr(0, id_end)),
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
    const auto plan = parse(app_id, kPlans);
    const auto of = plan ? plan : parse(app_id, kPrefix);
    if (!of) continue;
    TRY_ASSIGN(const std::string id, ids.of(of->partition.topic));
    if (id != of->topic_id) continue;
    Position& position = loaded[of->partition];
    plan ? void(position.plan = version) : void(position.through = log::Offset(version));
  }
  return loaded;
}

Result<std::vector<delta::Transaction>> transactions_of(const LoadedThrough& loaded, TopicIds& ids) {
  std::vector<delta::Transaction> transactions;
  for (const auto& [partition, position] : loaded) {
    TRY_ASSIGN(const std::string id, ids.of(partition.topic));
    if (position.through.value() >= 0)
      transactions.push_back({id_of(kPrefix, id, partition), position.through.value()});
    if (position.plan > 0) transactions.push_back({id_of(kPlans, id, partition), position.plan});
  }
  return transactions;
}

LoadedThrough least(const LoadedThrough& one, const LoadedThrough& other) {
  LoadedThrough both;
  for (const auto& [partition, position] : one) {
    const auto found = other.find(partition);
    if (found == other.end()) continue;
    both[partition] = {std::min(position.through, found->second.through), std::min(position.plan, found->second.plan)};
  }
  return both;
}

LoadedThrough moved(const LoadedThrough& reached, const LoadedThrough& loaded) {
  LoadedThrough some;
  for (const auto& [partition, position] : reached) {
    const auto found = loaded.find(partition);
    const Position before = found == loaded.end() ? Position() : found->second;
    Position further;
    if (position.through > before.through) further.through = position.through;
    if (position.plan > before.plan) further.plan = position.plan;
    if (further != Position()) some.emplace(partition, further);
  }
  return some;
}

delta::Transaction made_by(std::string_view what, std::string_view text) {
  return {maker_id(what), number_of(text)};
}

bool is_made_by(const delta::Snapshot& snapshot, std::string_view what, std::string_view text) {
  const auto found = snapshot.transactions.find(maker_id(what));
  return found != snapshot.transactions.end() && found->second == number_of(text);
}

std::string_view to_string(Writer writer) {
  switch (writer) {
    case Writer::kDuckdb:
      return "duckdb";
    case Writer::kSpark:
      return "spark";
  }
  CHECK(false, "a writer outside its enum");
}

std::int64_t spark_number(const delta::Snapshot& snapshot) {
  const auto found = snapshot.transactions.find(std::string(kSparkWriter));
  return found == snapshot.transactions.end() ? 0 : found->second;
}

std::optional<Writer> writer_of(const delta::Snapshot& snapshot) {
  if (snapshot.version <= delta::Version(0) && snapshot.files.empty()) return std::nullopt;
  const auto taken = snapshot.transactions.find(std::string(kDuckdbWriter));
  const std::int64_t duckdb = taken == snapshot.transactions.end() ? 0 : taken->second;
  return spark_number(snapshot) > duckdb ? Writer::kSpark : Writer::kDuckdb;
}

Result<void> check_writer(const delta::Snapshot& snapshot, std::string_view table, Writer writer) {
  const std::optional<Writer> wrote = writer_of(snapshot);
  if (!wrote || *wrote == writer) return {};
  return fail(
      ErrorCode::kInvalid,
      fmt::format("table {} is written by engine {} and this run is one of engine {}: one engine at a time writes "
                  "the tables; to change over, run `pinflow batch run --rebuild` once, which makes all tables "
                  "anew from the objects, or set batch.engine back to {}",
                  table, to_string(*wrote), to_string(writer), to_string(*wrote)));
}

std::optional<delta::Transaction> duckdb_takes_over(const delta::Snapshot& snapshot) {
  if (writer_of(snapshot) != Writer::kSpark) return std::nullopt;
  return delta::Transaction{std::string(kDuckdbWriter), spark_number(snapshot)};
}

}  // namespace pinflow::batch::internal
