#include "sql/engine.h"

#include <algorithm>
#include <map>
#include <utility>

#include <duckdb.h>
#include <fmt/format.h>

#include "base/check.h"
#include "sql/internal/cells.h"
#include "sql/internal/handles.h"
#include "sql/internal/lent_batches.h"
#include "sql/internal/parquet.h"

namespace pinflow::sql {

namespace internal {

ErrorCode code_of(duckdb_error_type type) {
  // Only what a caller handles differently is told apart; everything else is a wrong statement or wrong data.
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY) return ErrorCode::kOverloaded;
  if (type == DUCKDB_ERROR_IO) return ErrorCode::kUnavailable;
  if (type == DUCKDB_ERROR_TRANSACTION) return ErrorCode::kConflict;
  if (type == DUCKDB_ERROR_INTERRUPT) return ErrorCode::kCancelled;
  if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL) return ErrorCode::kCorrupt;
  return ErrorCode::kInvalid;
}

Error statement_error(ErrorCode code, const char* words, std::string_view statement) {
  constexpr std::size_t kShown = 120;
  const std::size_t begin = std::min(statement.find_first_not_of(" \t\r\n"), statement.size());
  std::string_view start = statement.substr(begin, kShown);
  // Not in the middle of a character.
  while (!start.empty() && begin + start.size() < statement.size() &&
         (static_cast<unsigned char>(statement[begin + start.size()]) & 0xC0U) == 0x80) {
    start.remove_suffix(1);
  }
  return {code, fmt::format("{} [in: {}{}]", words == nullptr ? "unknown error of the SQL engine" : words, start,
                            begin + start.size() < statement.size() ? "..." : "")};
}

Result<QueryResult> execute(duckdb_connection connection, std::string_view statements) {
  if (statements.find('\0') != std::string_view::npos) {
    return fail(statement_error(ErrorCode::kInvalid, "a statement holds a NUL byte",
                                statements.substr(0, statements.find('\0'))));
  }
  QueryResult result;
  if (duckdb_query(connection, std::string(statements).c_str(), result.out()) != DuckDBSuccess) {
    return fail(statement_error(code_of(duckdb_result_error_type(result.out())), duckdb_result_error(result.out()),
                                statements));
  }
  return result;
}

}  // namespace internal

namespace {

using namespace internal;

class DuckSession final : public Session {
 public:
  DuckSession(Connection connection, LentBatches& lent) : connection_(std::move(connection)), lent_(lent) {}
  ~DuckSession() override {
    for (const auto& [name, number] : lent_numbers_) lent_.close(number);
  }

  Result<void> run(std::string_view statements) override {
    TRY(execute(connection_.get(), statements));
    return {};
  }

  Result<ResultTable> query(std::string_view statement) override {
    TRY(check_single(statement));
    TRY_ASSIGN(QueryResult result, execute(connection_.get(), statement));
    return read_rows(result, SIZE_MAX, statement);
  }

  Result<ResultTable> query_within(std::string_view statement, std::size_t most) override {
    TRY(check_single(statement));
    const std::string text(statement);
    Prepared prepared;
    if (duckdb_prepare(connection_.get(), text.c_str(), prepared.out()) != DuckDBSuccess) {
      return fail(statement_error(ErrorCode::kInvalid, duckdb_prepare_error(prepared.get()), statement));
    }
    QueryResult result;
    if (duckdb_execute_prepared_streaming(prepared.get(), result.out()) != DuckDBSuccess) {
      return fail(statement_error(code_of(duckdb_result_error_type(result.out())), duckdb_result_error(result.out()),
                                  statement));
    }
    return read_rows(result, most, statement);
  }

  void interrupt() override { duckdb_interrupt(connection_.get()); }

  Result<void> load(std::string_view name, const ColumnBatch& batch) override {
    if (batch.columns().empty())
      return fail(ErrorCode::kInvalid, fmt::format("table {}: a batch without columns", name));
    std::string statement = fmt::format("CREATE OR REPLACE TEMP TABLE {} (", quote_name(name));
    for (std::size_t i = 0; i < batch.columns().size(); ++i) {
      const Column& column = batch.columns()[i];
      statement += fmt::format("{}{} {}", i > 0 ? ", " : "", quote_name(column.name()), sql_type(column.type()));
    }
    TRY(check_texts(name, batch));
    TRY(run(statement + ")"));
    Result<void> appended = append_rows(name, batch);
    if (!appended) (void)run("DROP TABLE " + quote_name(name));
    return appended;
  }

  Result<void> append(std::string_view name, const ColumnBatch& batch) override {
    TRY(check_texts(name, batch));
    return append_rows(name, batch);
  }

  Result<void> lend(std::string_view name, const ColumnBatch& batch) override {
    TRY(check_texts(name, batch));
    const auto known = lent_numbers_.find(name);
    if (known != lent_numbers_.end()) {
      lent_.set(known->second, &batch);
      return {};
    }
    const std::int64_t number = lent_.open();
    lent_numbers_.emplace(name, number);
    lent_.set(number, &batch);
    return run(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS SELECT * FROM {}", quote_name(name),
                           LentBatches::source(number)));
  }

  Result<ParquetFile> write_parquet(std::string_view select, const std::filesystem::path& path) override {
    return internal::write_parquet(connection_.get(), select, path);
  }

 private:
  Result<void> check_single(std::string_view statement) {
    const std::string text(statement);
    Extracted extracted;
    const idx_t count = duckdb_extract_statements(connection_.get(), text.c_str(), extracted.out());
    if (count == 1) return {};
    const char* error = duckdb_extract_statements_error(extracted.get());
    return fail(
        statement_error(ErrorCode::kInvalid, error != nullptr ? error : "a query is exactly one statement", text));
  }

  static Result<ResultTable> read_rows(QueryResult& result, std::size_t most, std::string_view statement) {
    ResultTable table;
    std::vector<LogicalType> types;
    for (idx_t i = 0; i < duckdb_column_count(result.out()); ++i) {
      table.columns.emplace_back(duckdb_column_name(result.out(), i));
      types.emplace_back(duckdb_column_logical_type(result.out(), i));
      table.types.push_back(type_name(types.back().get()));
    }
    while (true) {
      const DataChunk chunk(duckdb_fetch_chunk(result.get()));
      if (chunk.get() == nullptr) break;
      read_chunk(chunk.get(), types, table.rows);
      if (table.rows.size() > most) {
        return fail(statement_error(ErrorCode::kOverloaded, fmt::format("more than {} rows", most).c_str(), statement));
      }
    }
    // A result that is made while it is read may fail on the way.
    if (const char* words = duckdb_result_error(result.out()); words != nullptr && *words != '\0') {
      return fail(statement_error(code_of(duckdb_result_error_type(result.out())), words, statement));
    }
    return table;
  }

  static void read_chunk(duckdb_data_chunk chunk, const std::vector<LogicalType>& types,
                         std::vector<std::vector<Value>>& rows) {
    const std::size_t first = rows.size();
    rows.resize(first + duckdb_data_chunk_get_size(chunk), std::vector<Value>(types.size()));
    for (std::size_t column = 0; column < types.size(); ++column) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
      for (std::size_t row = first; row < rows.size(); ++row) {
        rows[row][column] = read_cell(vector, types[column].get(), row - first);
      }
    }
  }

  // Before the first row goes in, since rows that are in cannot be taken back without the caller's
  // transaction.
  static Result<void> check_texts(std::string_view name, const ColumnBatch& batch) {
    for (const Column& column : batch.columns()) {
      if (auto checked = check_text(column); !checked) {
        return fail(std::move(checked.error()).with_context(fmt::format("table {}", name)));
      }
    }
    return {};
  }

  Result<void> append_rows(std::string_view name, const ColumnBatch& batch) {
    if (batch.rows() == 0) return {};
    Appender appender;
    if (duckdb_appender_create(connection_.get(), nullptr, std::string(name).c_str(), appender.out()) !=
        DuckDBSuccess) {
      return fail(append_error(appender, name));
    }
    std::vector<LogicalType> types;
    std::vector<duckdb_logical_type> handles;
    for (const Column& column : batch.columns()) {
      types.emplace_back(duckdb_create_logical_type(engine_type(column.type())));
      handles.push_back(types.back().get());
    }
    TRY(check_columns(appender, name, batch, types));
    const DataChunk chunk(duckdb_create_data_chunk(handles.data(), handles.size()));
    const std::size_t whole = duckdb_vector_size();
    for (std::size_t begin = 0; begin < batch.rows(); begin += whole) {
      const std::size_t count = std::min(whole, batch.rows() - begin);
      duckdb_data_chunk_reset(chunk.get());
      for (std::size_t i = 0; i < batch.columns().size(); ++i) {
        fill_vector(batch.columns()[i], begin, count, duckdb_data_chunk_get_vector(chunk.get(), i));
      }
      duckdb_data_chunk_set_size(chunk.get(), count);
      if (duckdb_append_data_chunk(appender.get(), chunk.get()) != DuckDBSuccess)
        return fail(append_error(appender, name));
    }
    if (duckdb_appender_close(appender.get()) != DuckDBSuccess) return fail(append_error(appender, name));
    return {};
  }

  // The engine would cast silently where types differ, and a cast that loses is worse than an error.
  static Result<void> check_columns(const Appender& appender, std::string_view name, const ColumnBatch& batch,
                                    const std::vector<LogicalType>& types) {
    const idx_t count = duckdb_appender_column_count(appender.get());
    if (count != types.size()) {
      return fail(ErrorCode::kInvalid, fmt::format("table {} has {} columns, the batch {}", name, count, types.size()));
    }
    for (idx_t i = 0; i < count; ++i) {
      const LogicalType type(duckdb_appender_column_type(appender.get(), i));
      const std::string has = type_name(type.get());
      const std::string given = type_name(types[i].get());
      if (has != given) {
        return fail(ErrorCode::kInvalid, fmt::format("table {}: column {} of the batch ({}) is {}, the table has {}",
                                                     name, i + 1, batch.columns()[i].name(), given, has));
      }
    }
    return {};
  }

  static Error append_error(const Appender& appender, std::string_view name) {
    const char* words = duckdb_appender_error(appender.get());
    return {ErrorCode::kInvalid,
            fmt::format("appending to table {}: {}", name, words != nullptr ? words : "the SQL engine refused")};
  }

  Connection connection_;
  LentBatches& lent_;
  std::map<std::string, std::int64_t, std::less<>> lent_numbers_;  // By the view's name.
};

class DuckEngine final : public Engine {
 public:
  explicit DuckEngine(Database database) : database_(std::move(database)) {}

  Result<std::unique_ptr<Session>> connect() override {
    TRY_ASSIGN(Connection connection, new_connection());
    return std::make_unique<DuckSession>(std::move(connection), lent_);
  }

  // Makes our function known, and shuts the doors behind the opened database: what a statement may touch, and that no statement can
  // open them again.
  Result<void> prepare(const EngineOptions& options) {
    std::string folders;
    for (const std::filesystem::path& folder : options.folders) {
      folders += (folders.empty() ? "" : ", ") + quote_text(std::filesystem::absolute(folder).string());
    }
    // The engine turns '/' into '///', below which nothing lies; '/./' it turns into '/'.
    if (folders.empty()) folders = "'/./'";
    TRY_ASSIGN(const Connection connection, new_connection());
    TRY(lent_.install(connection.get()));
    TRY(execute(connection.get(), fmt::format("SET GLOBAL TimeZone = 'UTC'; SET allowed_directories = [{}]; "
                                              "SET enable_external_access = false; SET lock_configuration = true",
                                              folders)));
    return {};
  }

 private:
  Result<Connection> new_connection() {
    Connection connection;
    if (duckdb_connect(database_.get(), connection.out()) != DuckDBSuccess) {
      return fail(ErrorCode::kUnavailable, "the SQL engine gives no connection");
    }
    return connection;
  }

  LentBatches lent_;  // Outlives the database, which knows it.
  Database database_;
};

ErrorCode opening_code(std::string_view words) {
  if (words.find("Could not set lock") != words.npos) return ErrorCode::kConflict;
  if (words.find("does not exist") != words.npos) return ErrorCode::kNotFound;
  if (words.find("not a valid DuckDB database") != words.npos) return ErrorCode::kCorrupt;
  return ErrorCode::kUnavailable;
}

}  // namespace

Result<std::unique_ptr<Engine>> open_engine(const EngineOptions& options) {
  Config config;
  CHECK(duckdb_create_config(config.out()) == DuckDBSuccess, "the SQL engine makes no configuration");
  std::vector<std::pair<const char*, std::string>> settings = {
      {"access_mode", options.read_only ? "READ_ONLY" : "AUTOMATIC"},
      {"memory_limit", fmt::format("{}B", options.memory_limit.count())},
      {"threads", fmt::to_string(std::max(options.threads, 1))},
      {"temp_directory", options.temporary.string()},
      // Files of tables are read once or twice and then replaced: what it would keep of each is never asked for again.
      {"enable_external_file_cache", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
  };
  if (options.temporary_limit) {
    settings.emplace_back("max_temp_directory_size", fmt::format("{}B", options.temporary_limit->count()));
  }
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config.get(), name, value.c_str()) != DuckDBSuccess) {
      return fail(ErrorCode::kInvalid, fmt::format("the SQL engine refuses {} = {}", name, value));
    }
  }
  Database database;
  char* words = nullptr;
  const std::string path = options.database.empty() ? ":memory:" : options.database.string();
  if (duckdb_open_ext(path.c_str(), database.out(), config.get(), &words) != DuckDBSuccess) {
    const std::string text = words != nullptr ? words : "unknown error";
    duckdb_free(words);
    return fail(opening_code(text), fmt::format("opening the database {}: {}", path, text));
  }
  auto engine = std::make_unique<DuckEngine>(std::move(database));
  TRY(engine->prepare(options));
  return engine;
}

}  // namespace pinflow::sql
