// From a snapshot to the SELECT that gives its rows.
#include <charconv>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "delta/internal/partition.h"
#include "delta/internal/paths.h"
#include "delta/internal/schema.h"
#include "delta/internal/statistics.h"
#include "delta/table.h"

namespace pinflow::delta {

namespace {

using namespace internal;

// Names of our own beside the columns of the files.
constexpr std::string_view kFileColumn = "pinflow_file";
constexpr std::string_view kValueColumn = "pinflow_value_";

Result<std::string> select_nothing(const std::vector<Field>& schema) {
  std::string select = "SELECT ";
  for (const Field& field : schema) {
    TRY_ASSIGN(const std::string type, engine_type(field.type));
    if (!select.ends_with("SELECT ")) select += ", ";
    select += fmt::format("CAST(NULL AS {}) AS {}", type, sql::quote_name(field.name));
  }
  return select + " WHERE false";
}

// A path that stands for itself where the engine takes patterns.
std::string as_pattern(std::string_view path) {
  std::string pattern;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      pattern += fmt::format("[{}]", c);
    } else {
      pattern += c;
    }
  }
  return pattern;
}

// A file of a snapshot as the engine opens it, with its partition values.
struct LocalFile {
  std::string path;  // Absolute: the SQL engine opens no others.
  const PartitionValues* values = nullptr;
};

Result<std::vector<LocalFile>> local_files(objects::ObjectStore& store, const std::string& name,
                                           const Snapshot& snapshot, const std::vector<std::string>& paths) {
  static const PartitionValues kNone;
  std::vector<LocalFile> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) {
    TRY_ASSIGN(const disk::Path local, store.local_copy(name + "/" + decode_path(path)));
    const auto live = snapshot.files.find(path);
    files.push_back({std::filesystem::absolute(local).string(),
                     live == snapshot.files.end() ? &kNone : &live->second.partition_values});
  }
  return files;
}

std::string read_files(const std::vector<LocalFile>& files, std::string_view more) {
  std::string list;
  for (const LocalFile& file : files) list += (list.empty() ? "" : ", ") + sql::quote_text(as_pattern(file.path));
  return fmt::format("read_parquet([{}], union_by_name = true, hive_partitioning = false{})", list, more);
}

Result<Field> field_of(const Snapshot& snapshot, const std::string& column) {
  for (const Field& field : snapshot.schema) {
    if (field.name == column) return field;
  }
  return fail(ErrorCode::kCorrupt, fmt::format("partition column {} is missing in the schema", column));
}

std::string value_of(const LocalFile& file, const std::string& column) {
  const auto value = file.values->find(column);
  return text_literal(value == file.values->end() ? std::string() : value->second);
}

// The columns of the files and those of the log. What a file says of a partition column itself does not count.
Result<std::string> select_partitioned(const Snapshot& snapshot, const std::vector<LocalFile>& files) {
  const auto& columns = snapshot.partition_columns;
  const bool is_one =
      std::ranges::all_of(files, [&](const LocalFile& file) { return *file.values == *files[0].values; });
  std::string hidden;
  std::string values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    TRY_ASSIGN(const Field field, field_of(snapshot, columns[i]));
    const std::string text = is_one ? value_of(files[0], columns[i]) : fmt::format("{}{}", kValueColumn, i);
    TRY_ASSIGN(const std::string typed, typed_value_sql(field, text));
    values += fmt::format(", {} AS {}", typed, sql::quote_name(field.name));
    hidden += fmt::format("{}, '{}{}', ", sql::quote_text(field.name), kValueColumn, i);
  }
  hidden += fmt::format("'{}'", kFileColumn);
  const std::string select = fmt::format("SELECT COLUMNS(lambda c: c NOT IN ({})){} FROM ", hidden, values);
  if (is_one) return select + read_files(files, "");
  // One small table says what each file's values are, so that the statement does not grow a branch for each partition.
  std::string rows;
  for (const LocalFile& file : files) {
    rows += fmt::format("{}({}", rows.empty() ? "" : ", ", sql::quote_text(file.path));
    for (const std::string& column : columns) rows += ", " + value_of(file, column);
    rows += ")";
  }
  std::string names(kFileColumn);
  for (std::size_t i = 0; i < columns.size(); ++i) names += fmt::format(", {}{}", kValueColumn, i);
  return fmt::format("{}{} JOIN (VALUES {}) AS pinflow_values({}) USING ({})", select,
                     read_files(files, fmt::format(", filename = '{}'", kFileColumn)), rows, names, kFileColumn);
}

}  // namespace

Result<std::string> select_files(objects::ObjectStore& store, const std::string& name, const Snapshot& snapshot,
                                 const std::vector<std::string>& paths) {
  TRY_ASSIGN(const std::string nothing, select_nothing(snapshot.schema));
  if (paths.empty()) return nothing;
  std::string columns;
  for (const Field& field : snapshot.schema) columns += (columns.empty() ? "" : ", ") + sql::quote_name(field.name);
  TRY_ASSIGN(const auto files, local_files(store, name, snapshot, paths));
  std::string rows;
  if (snapshot.partition_columns.empty()) {
    rows = "SELECT * FROM " + read_files(files, "");
  } else {
    TRY_ASSIGN(rows, select_partitioned(snapshot, files));
  }
  // By name, and beside all columns: one that came later is missing in older files, perhaps in all of these.
  return fmt::format("SELECT {} FROM ({} UNION ALL BY NAME {})", columns, nothing, rows);
}

Result<std::string> select_files_with_paths(objects::ObjectStore& store, const std::string& name,
                                            const Snapshot& snapshot, const std::vector<std::string>& paths,
                                            std::string_view path_column) {
  if (!snapshot.partition_columns.empty()) {
    return fail(ErrorCode::kInvalid, fmt::format("table {} is partitioned; its rows are not told by file", name));
  }
  TRY_ASSIGN(std::string nothing, select_nothing(snapshot.schema));
  nothing.insert(nothing.rfind(" WHERE false"), fmt::format(", CAST(NULL AS VARCHAR) AS {}", kFileColumn));
  std::string columns;
  for (const Field& field : snapshot.schema) columns += sql::quote_name(field.name) + ", ";
  const std::string quoted = sql::quote_name(path_column);
  if (paths.empty()) return fmt::format("SELECT {}{} AS {} FROM ({})", columns, kFileColumn, quoted, nothing);
  TRY_ASSIGN(const auto files, local_files(store, name, snapshot, paths));
  std::string places;
  for (std::size_t i = 0; i < files.size(); ++i) {
    places += fmt::format("{}({}, {})", i > 0 ? ", " : "", sql::quote_text(files[i].path), sql::quote_text(paths[i]));
  }
  return fmt::format(
      "SELECT {0}pinflow_places.path AS {1} FROM ({2} UNION ALL BY NAME SELECT * FROM {3}) JOIN (VALUES {4}) AS "
      "pinflow_places({5}, path) USING ({5})",
      columns, quoted, nothing, read_files(files, fmt::format(", filename = '{}'", kFileColumn)), places, kFileColumn);
}

std::optional<IntegerRange> integer_range(const DataFile& file, const std::string& column) {
  const auto statistics = parse_statistics(file.statistics);
  if (!statistics) return std::nullopt;
  const auto found = statistics->columns.find(column);
  if (found == statistics->columns.end() || !found->second.minimum || !found->second.maximum) return std::nullopt;
  IntegerRange range;
  const auto read = [](const std::string& text, std::int64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (!read(*found->second.minimum, range.least) || !read(*found->second.maximum, range.greatest)) return std::nullopt;
  return range;
}

Result<std::string> select_all(objects::ObjectStore& store, const std::string& name, const Snapshot& snapshot) {
  std::vector<std::string> paths;
  paths.reserve(snapshot.files.size());
  for (const auto& [path, file] : snapshot.files) paths.push_back(path);
  return select_files(store, name, snapshot, paths);
}

}  // namespace pinflow::delta
