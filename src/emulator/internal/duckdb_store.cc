#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "emulator/internal/table_store.h"
#include "sql/engine.h"

namespace pinflow::emulator::internal {

namespace {

std::string type_of(const Column& column) {
  if (is_time_column(column.name())) return "TIMESTAMP";
  switch (column.type()) {
    case ColumnType::kInt32:
      return "INTEGER";
    case ColumnType::kInt64:
      return "BIGINT";
    case ColumnType::kDouble:
      return "DOUBLE";
    default:
      return "VARCHAR";
  }
}

// The answer's value as the column wants it. False where it does not fit.
bool append(Column& column, const sql::Value& value) {
  if (value.is_null()) {
    column.append_null();
  } else if (column.type() == ColumnType::kText) {
    const auto* text = std::get_if<std::string>(&value.data);
    if (text == nullptr) return false;
    column.append_text(*text);
  } else if (column.type() == ColumnType::kDouble) {
    const auto* number = std::get_if<double>(&value.data);
    if (number == nullptr) return false;
    column.append_double(*number);
  } else {
    const auto* number = std::get_if<std::int64_t>(&value.data);
    if (number == nullptr) return false;
    if (column.type() == ColumnType::kInt32 && *number != static_cast<std::int32_t>(*number)) return false;
    column.append_integer(*number);
  }
  return true;
}

class DuckdbStore final : public TableStore {
 public:
  DuckdbStore(std::string path, std::unique_ptr<sql::Engine> engine, std::unique_ptr<sql::Session> session)
      : path_(std::move(path)), engine_(std::move(engine)), session_(std::move(session)) {}

  std::string quote(std::string_view name) const override { return sql::quote_name(name); }

  std::string select_expression(const Column& column, bool is_time) const override {
    if (is_time) return fmt::format("strftime({}, '%Y-%m-%d %H:%M:%S')", quote(column.name()));
    // Tables that others have made may hold other types.
    return fmt::format("CAST({} AS {})", quote(column.name()), type_of(column));
  }

  Result<bool> has_table(records::Kind kind) override {
    TRY_ASSIGN(const sql::ResultTable found,
               session_->query(fmt::format("SELECT 1 FROM information_schema.tables WHERE table_schema = 'main' AND "
                                           "table_name = {}",
                                           sql::quote_text(table_of(kind)))));
    return !found.rows.empty();
  }

  Result<void> create_tables(bool replace) override {
    TRY(session_->run("BEGIN TRANSACTION"));
    for (const records::Kind kind : records::kKinds) {
      std::string columns;
      for (const Column& column : records::raw_columns(kind)) {
        fmt::format_to(std::back_inserter(columns), "{}{} {}", columns.empty() ? "" : ", ", quote(column.name()),
                       type_of(column));
      }
      TRY(session_->run(
          fmt::format("CREATE {}TABLE {} ({})", replace ? "OR REPLACE " : "", quote(table_of(kind)), columns)));
    }
    return {};
  }

  Result<void> insert(records::Kind kind, const ColumnBatch& batch) override {
    // Not loaded: of a temporary table that is made anew each version would stay until the commit.
    const std::string slice = fmt::format("pinflow_slice_of_{}", table_of(kind));
    TRY(session_->lend(slice, batch));
    std::string columns;
    for (const Column& column : records::raw_columns(kind)) {
      fmt::format_to(std::back_inserter(columns), "{}CAST({} AS {})", columns.empty() ? "" : ", ", quote(column.name()),
                     type_of(column));
    }
    return session_->run(fmt::format("INSERT INTO {} SELECT {} FROM {}", quote(table_of(kind)), columns, quote(slice)));
  }

  Result<void> commit() override {
    TRY(session_->run("COMMIT"));
    // Leaves one file that can be copied: nothing in the write-ahead log beside it.
    return session_->run("CHECKPOINT");
  }

  Result<void> select(const std::string& statement, ColumnBatch& into) override {
    TRY_ASSIGN(const sql::ResultTable answer, session_->query(statement));
    for (const auto& row : answer.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (append(into.column(i), row[i])) continue;
        return fail(ErrorCode::kCorrupt, fmt::format("the source {} has a value in column {} that does not fit: {}",
                                                     path_, answer.columns[i], row[i].to_text()));
      }
    }
    return {};
  }

 private:
  std::string path_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
};

}  // namespace

Result<std::unique_ptr<TableStore>> open_duckdb_store(const std::string& path, bool for_writing) {
  std::error_code error;
  if (!for_writing && !std::filesystem::exists(path, error)) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("there is no source {}; make it with `pinflow source create`, or name another with --source",
                    path));
  }
  auto engine = sql::open_engine({.database = path, .read_only = !for_writing});
  if (!engine) return fail(std::move(engine.error()).with_context(fmt::format("opening the source {}", path)));
  TRY_ASSIGN(auto session, (*engine)->connect());
  return std::make_unique<DuckdbStore>(path, std::move(*engine), std::move(session));
}

}  // namespace pinflow::emulator::internal
