#include "migrate/lane_positions.h"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "sink/object_name.h"

namespace pinflow::migrate {

namespace {

// The name of a position under the new id of its topic, empty where it has no old one in it.
std::optional<std::string> renamed(std::string_view app_id, const std::vector<MovedTopic>& topics) {
  for (const MovedTopic& topic : topics) {
    const std::string old = topic.from.to_string();
    const std::size_t at = app_id.find(old);
    if (at == app_id.npos) continue;
    return fmt::format("{}{}{}", app_id.substr(0, at), topic.to.to_string(), app_id.substr(at + old.size()));
  }
  return std::nullopt;
}

std::vector<delta::Transaction> missing_positions(const delta::Snapshot& snapshot,
                                                  const std::vector<MovedTopic>& topics) {
  std::vector<delta::Transaction> missing;
  for (const auto& [app_id, version] : snapshot.transactions) {
    auto name = renamed(app_id, topics);
    if (!name) continue;
    const auto there = snapshot.transactions.find(*name);
    if (there == snapshot.transactions.end() || there->second < version) missing.push_back({*std::move(name), version});
  }
  return missing;
}

// The tables of a store, with what is missing in them.
template <class Each>
Result<void> for_each_table(objects::ObjectStore& tables, sql::Engine& engine, const std::vector<MovedTopic>& topics,
                            Each each) {
  TRY_ASSIGN(const auto names, delta::list_tables(tables));
  for (const std::string& name : names) {
    TRY_ASSIGN(const auto snapshot, delta::read_snapshot(tables, engine, name));
    const auto missing = missing_positions(snapshot, topics);
    if (!missing.empty()) TRY(each(name, snapshot, missing));
  }
  return {};
}

}  // namespace

Result<MovedPositions> move_table_positions(const delta::TableContext& context, const std::vector<MovedTopic>& topics) {
  MovedPositions moved;
  TRY(for_each_table(
      context.store, context.engine, topics,
      [&](const std::string& name, const delta::Snapshot& snapshot, const auto& missing) -> Result<void> {
        TRY_ASSIGN(const auto table, delta::open_table(context, {.name = name,
                                                                 .schema = snapshot.schema,
                                                                 .partition_columns = snapshot.partition_columns}));
        TRY(table->append({}, missing));
        ++moved.tables;
        moved.positions += missing.size();
        return {};
      }));
  return moved;
}

Result<MovedPositions> count_table_positions(objects::ObjectStore& tables, sql::Engine& engine,
                                             const std::vector<MovedTopic>& topics) {
  MovedPositions counted;
  TRY(for_each_table(tables, engine, topics,
                     [&](const std::string&, const delta::Snapshot&, const auto& missing) -> Result<void> {
                       ++counted.tables;
                       counted.positions += missing.size();
                       return {};
                     }));
  return counted;
}

Result<std::uint64_t> move_sink_identities(objects::ObjectStore& from, objects::ObjectStore& to,
                                           const std::vector<MovedTopic>& topics) {
  std::uint64_t moved = 0;
  for (const MovedTopic& topic : topics) {
    const std::string name = sink::identity_name(topic.name);
    auto ours = from.get(name);
    if (!ours && ours.error().code == ErrorCode::kNotFound) continue;  // Nothing was ever sunk of it.
    if (!ours) return fail(std::move(ours.error()));
    auto theirs = to.get(name);
    if (!theirs && theirs.error().code != ErrorCode::kNotFound) return fail(std::move(theirs.error()));
    const std::string old_id = topic.from.to_string() + "\n";
    const std::string new_id = topic.to.to_string() + "\n";
    if (theirs && *theirs == new_id) continue;
    if ((*ours != old_id && *ours != new_id) || (theirs && *theirs != old_id)) {
      return fail(ErrorCode::kConflict,
                  fmt::format("{} says that the objects of {} are of another topic than the one that is migrated; move "
                              "those objects away, or choose another place for objects",
                              name, topic.name));
    }
    TRY(to.put(name, new_id));
    ++moved;
  }
  return moved;
}

}  // namespace pinflow::migrate
