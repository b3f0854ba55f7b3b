#include "delta/internal/checkpoint.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/columns.h"
#include "delta/internal/log_reader.h"

namespace pinflow::delta::internal {

namespace {

// The rows of the checkpoint, flat: which action, and the members that vary from row to row.
class FlatActions {
 public:
  explicit FlatActions(const std::vector<std::string>& partition_columns)
      : partition_columns_(partition_columns), batch_(columns(partition_columns.size())) {}

  void protocol() { row("protocol", "", 0, 0, "", {}); }
  void metadata() { row("metaData", "", 0, 0, "", {}); }
  void txn(const std::string& app_id, std::int64_t version, std::int64_t updated_ms) {
    row("txn", app_id, version, updated_ms, "", {});
  }
  void remove(const Remove& remove) {
    row("remove", remove.path, static_cast<std::int64_t>(remove.size), remove.deletion_ms, "", remove.partition_values);
  }
  void add(const DataFile& file) {
    row("add", file.path, static_cast<std::int64_t>(file.size), file.modified.time_since_epoch().count(),
        file.statistics, file.partition_values);
  }
  const ColumnBatch& batch() const { return batch_; }

 private:
  static std::vector<Column> columns(std::size_t partition_columns) {
    std::vector<Column> all{Column("kind", ColumnType::kText),    Column("id", ColumnType::kText),
                            Column("number", ColumnType::kInt64), Column("time", ColumnType::kInt64),
                            Column("stats", ColumnType::kText),   Column("has_values", ColumnType::kBoolean)};
    for (std::size_t i = 0; i < partition_columns; ++i) all.emplace_back(fmt::format("value_{}", i), ColumnType::kText);
    return all;
  }
  void text_or_null(std::size_t column, std::string_view text) {
    if (text.empty()) {
      batch_.column(column).append_null();
    } else {
      batch_.column(column).append_text(text);
    }
  }
  void row(std::string_view kind, std::string_view id, std::int64_t number, std::int64_t time, std::string_view stats,
           const PartitionValues& values) {
    batch_.column(0).append_text(kind);
    batch_.column(1).append_text(id);
    batch_.column(2).append_integer(number);
    batch_.column(3).append_integer(time);
    text_or_null(4, stats);
    batch_.column(5).append_integer(values.size() == partition_columns_.size() ? 1 : 0);
    for (std::size_t i = 0; i < partition_columns_.size(); ++i) {
      const auto value = values.find(partition_columns_[i]);
      text_or_null(6 + i, value == values.end() ? std::string_view() : value->second);
    }
  }
  const std::vector<std::string>& partition_columns_;
  ColumnBatch batch_;
};

FlatActions flatten(const TableState& state) {
  FlatActions rows(state.metadata->partition_columns);
  rows.protocol();
  rows.metadata();
  for (const auto& [app_id, version] : state.snapshot.transactions) {
    const auto updated = state.updated_ms.find(app_id);
    rows.txn(app_id, version, updated == state.updated_ms.end() ? 0 : updated->second);
  }
  for (const auto& [path, remove] : state.tombstones) rows.remove(remove);
  for (const auto& [path, file] : state.snapshot.files) rows.add(file);
  return rows;
}

std::string map_literal(const std::map<std::string, std::string>& map) {
  if (map.empty()) return "MAP {}::MAP(VARCHAR, VARCHAR)";
  std::string literal = "MAP {";
  for (const auto& [key, value] : map) {
    literal += (literal.ends_with('{') ? "" : ", ") + sql::quote_text(key) + ": " + sql::quote_text(value);
  }
  return literal + "}";
}

std::string list_literal(const std::vector<std::string>& texts) {
  std::string literal;
  for (const std::string& text : texts) literal += (literal.empty() ? "" : ", ") + sql::quote_text(text);
  return fmt::format("[{}]::VARCHAR[]", literal);
}

// The map of partition values, from the columns that FlatActions has for them.
std::string values_map(const std::vector<std::string>& partition_columns) {
  if (partition_columns.empty()) return map_literal({});
  std::string map = "MAP {";
  for (std::size_t i = 0; i < partition_columns.size(); ++i) {
    map += fmt::format("{}{}: value_{}", i == 0 ? "" : ", ", sql::quote_text(partition_columns[i]), i);
  }
  return map + "}";
}

std::string text_or_null(const std::string& text) {
  return text.empty() ? "NULL::VARCHAR" : sql::quote_text(text);
}

// One row an action, one struct column a kind, of which exactly one is not null (PROTOCOL.md, "Checkpoint
// Schema").
std::string checkpoint_select(const TableState& state) {
  const Metadata& metadata = *state.metadata;
  return fmt::format(
      R"(SELECT
  CASE WHEN kind = 'txn' THEN {{'appId': id, 'version': number, 'lastUpdated': time}} END AS txn,
  CASE WHEN kind = 'add' THEN {{
    'path': id, 'partitionValues': {0}, 'size': number, 'modificationTime': time,
    'dataChange': false, 'stats': stats, 'tags': NULL::MAP(VARCHAR, VARCHAR)}} END AS "add",
  CASE WHEN kind = 'remove' THEN {{
    'path': id, 'deletionTimestamp': time, 'dataChange': false, 'extendedFileMetadata': has_values,
    'partitionValues': CASE WHEN has_values THEN {0} END, 'size': number}} END AS remove,
  CASE WHEN kind = 'metaData' THEN {{
    'id': {1}, 'name': {2}, 'description': {3},
    'format': {{'provider': 'parquet', 'options': MAP {{}}::MAP(VARCHAR, VARCHAR)}},
    'schemaString': {4}, 'partitionColumns': {5}, 'configuration': {6},
    'createdTime': {7}::BIGINT}} END AS "metaData",
  CASE WHEN kind = 'protocol' THEN {{
    'minReaderVersion': {8}::INTEGER, 'minWriterVersion': {9}::INTEGER,
    'readerFeatures': NULL::VARCHAR[], 'writerFeatures': NULL::VARCHAR[]}} END AS protocol
FROM checkpoint_actions)",
      values_map(metadata.partition_columns), sql::quote_text(metadata.id), text_or_null(metadata.name),
      text_or_null(metadata.description), sql::quote_text(metadata.schema), list_literal(metadata.partition_columns),
      map_literal(metadata.configuration), metadata.created_ms, state.protocol->reader, state.protocol->writer);
}

bool same_file(const DataFile& a, const DataFile& b) {
  return a.path == b.path && a.size == b.size && a.modified == b.modified && a.statistics == b.statistics &&
         a.partition_values == b.partition_values;
}

// What a reader of the checkpoint will see must be what we hold, but for dataChange, which checkpoints do not
// keep.
bool same_state(const TableState& a, const TableState& b) {
  const auto same_files = [](const auto& x, const auto& y) {
    return x.first == y.first && same_file(x.second, y.second);
  };
  const auto same_removes = [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.deletion_ms == y.second.deletion_ms && x.second.size == y.second.size &&
           x.second.partition_values == y.second.partition_values;
  };
  return a.protocol == b.protocol && a.metadata == b.metadata && a.snapshot.transactions == b.snapshot.transactions &&
         a.updated_ms == b.updated_ms && std::ranges::equal(a.snapshot.files, b.snapshot.files, same_files) &&
         std::ranges::equal(a.tombstones, b.tombstones, same_removes);
}

}  // namespace

Result<void> write_checkpoint(objects::ObjectStore& store, sql::Engine& engine, const std::string& name,
                              const TableState& state) {
  const Version version = state.snapshot.version;
  const FlatActions rows = flatten(state);
  TRY_ASSIGN(const auto session, engine.connect());
  TRY(session->load("checkpoint_actions", rows.batch()));
  TRY_ASSIGN(const disk::Path scratch, store.scratch(".parquet"));
  auto file = session->write_parquet(checkpoint_select(state), scratch);
  if (!file) {
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    return fail(std::move(file).error());
  }
  const std::string object = checkpoint_name(version);
  TRY(store.put_file(name + "/" + object, scratch));
  TRY_ASSIGN(const TableState read, LogReader(store, engine, name).read_checkpoint(version, 1));
  if (!same_state(state, read)) {
    return fail(
        ErrorCode::kCorrupt,
        fmt::format("checkpoint {} of table {} does not read back as it was written; it is not used", version, name));
  }
  TRY(store.put(name + "/" + std::string(kHintName),
                format_hint({version, static_cast<std::int64_t>(file->rows), file->bytes,
                             static_cast<std::int64_t>(state.snapshot.files.size())})));
  return {};
}

}  // namespace pinflow::delta::internal
