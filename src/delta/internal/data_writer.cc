#include "delta/internal/data_writer.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/uuid.h"
#include "delta/internal/partition.h"
#include "delta/internal/schema.h"
#include "delta/internal/statistics.h"

namespace pinflow::delta::internal {

namespace {

// Bounds the files of one write, and with them the time that it takes before anything is committed.
constexpr std::size_t kMostParts = 1'000;
constexpr std::string_view kRows = "pinflow_rows_by_partition";

// Rows that go into several files are held in a temporary table meanwhile, so that the SELECT runs once for them all.
class HeldRows {
 public:
  static Result<void> make(sql::Session& session, const std::string& source) {
    return session.run(fmt::format("CREATE OR REPLACE TEMPORARY TABLE {} AS SELECT * FROM {}", kRows, source));
  }
  explicit HeldRows(sql::Session& session) : session_(session) {}
  HeldRows(const HeldRows&) = delete;
  HeldRows& operator=(const HeldRows&) = delete;
  ~HeldRows() { (void)session_.run(fmt::format("DROP TABLE IF EXISTS {}", kRows)); }

 private:
  sql::Session& session_;
};

std::string columns_text(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields) text += (text.empty() ? "" : ", ") + sql::quote_name(field.name);
  return text;
}

}  // namespace

Result<std::vector<sql::ColumnInfo>> DataWriter::columns_of(sql::Session& session, std::string_view select) {
  TRY_ASSIGN(const auto nothing, session.query(fmt::format("SELECT * FROM (\n{}\n) LIMIT 0", select)));
  std::vector<sql::ColumnInfo> columns;
  for (std::size_t i = 0; i < nothing.columns.size(); ++i) columns.push_back({nothing.columns[i], nothing.types[i]});
  return columns;
}

Result<PendingFiles> DataWriter::write(sql::Session& session, std::string_view select, const std::vector<Field>& schema,
                                       const std::vector<std::string>& partition_columns) {
  PendingFiles files(context_.store, context_.logger, table_);
  if (partition_columns.empty()) {
    TRY(write_one(session, std::string(select), schema, "", {}, files));
    return files;
  }
  TRY_ASSIGN(const auto given, columns_of(session, select));
  TRY(check_columns(schema, given));
  TRY(write_parts(session, fmt::format("(\n{}\n)", select), stored_fields(schema, partition_columns), partition_columns,
                  files));
  return files;
}

Result<void> DataWriter::write_parts(sql::Session& session, std::string source, const std::vector<Field>& fields,
                                     const std::vector<std::string>& partition_columns, PendingFiles& files) {
  TRY_ASSIGN(auto parts, find_parts(session, source, partition_columns));
  std::optional<HeldRows> held;
  // Rows of one partition go straight into their file, however many they are.
  if (parts.size() > 1) {
    held.emplace(session);
    TRY(HeldRows::make(session, source));
    source = kRows;
  } else if (parts.size() == 1) {
    parts[0].condition = "true";
  }
  for (const Part& part : parts) {
    const std::string select = fmt::format("SELECT {} FROM {} WHERE {}", columns_text(fields), source, part.condition);
    TRY_ASSIGN(
        const std::int64_t rows,
        write_one(session, select, fields, partition_folder(partition_columns, part.values), part.values, files));
    if (rows != part.rows) {
      return fail(
          ErrorCode::kInvalid,
          fmt::format("table {}: the SELECT gives other rows each time it runs ({} and then {} of one partition); "
                      "partition values must not depend on the moment",
                      table_, part.rows, rows));
    }
  }
  return {};
}

Result<std::vector<DataWriter::Part>> DataWriter::find_parts(sql::Session& session, const std::string& source,
                                                             const std::vector<std::string>& partition_columns) {
  std::string texts;
  for (const std::string& column : partition_columns) texts += value_text_sql(column) + ", ";
  TRY_ASSIGN(const auto groups,
             session.query(fmt::format("SELECT {}count(*) FROM {} GROUP BY ALL ORDER BY ALL LIMIT {}", texts, source,
                                       kMostParts + 1)));
  if (groups.rows.size() > kMostParts) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("table {}: the rows of one write have more than {} values of {}; write fewer rows at once, or "
                    "partition by something coarser",
                    table_, kMostParts, name_columns(partition_columns)));
  }
  std::vector<Part> parts;
  for (const auto& row : groups.rows) {
    Part part;
    for (std::size_t i = 0; i < partition_columns.size(); ++i) {
      const std::string& column = partition_columns[i];
      std::string value = row[i].is_null() ? std::string() : row[i].to_text();
      part.condition += fmt::format("{}{} IS NOT DISTINCT FROM {}", part.condition.empty() ? "" : " AND ",
                                    value_text_sql(column), text_literal(value));
      part.values.emplace(column, std::move(value));
    }
    part.rows = std::get<std::int64_t>(row.back().data);
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<std::int64_t> DataWriter::write_one(sql::Session& session, const std::string& select,
                                           const std::vector<Field>& fields, const std::string& folder,
                                           PartitionValues values, PendingFiles& files) {
  TRY_ASSIGN(disk::Path scratch, context_.store.scratch(".parquet"));
  const auto write = [&]() -> Result<sql::ParquetFile> {
    TRY_ASSIGN(sql::ParquetFile parquet, session.write_parquet(select, scratch));
    TRY(check_columns(fields, parquet.schema));
    return parquet;
  };
  const auto parquet = write();
  if (!parquet || parquet->rows == 0) {
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    if (!parquet) return fail(parquet.error());
    return 0;
  }
  DataFile file;
  file.path = folder + "part-" + Uuid::random(context_.random).to_string() + ".parquet";
  file.size = parquet->bytes;
  file.rows = static_cast<std::int64_t>(parquet->rows);
  file.modified = context_.clock.now();
  file.statistics = format_statistics(fields, *parquet);
  file.partition_values = std::move(values);
  files.put(std::move(file), std::move(scratch));
  return static_cast<std::int64_t>(parquet->rows);
}

void discard_file(objects::ObjectStore& store, Logger& logger, const std::string& table, const DataFile& file) {
  const std::string object = table + "/" + file.path;
  if (auto removed = store.remove(object); !removed) {
    logger.warning("a data file that no commit names stays behind",
                   {{"file", object}, {"error", removed.error().message}});
  }
}

}  // namespace pinflow::delta::internal
