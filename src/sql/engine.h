#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/columns.h"
#include "base/result.h"
#include "base/strong.h"

namespace pinflow::sql {

struct Value;
struct Timestamp {
  std::int64_t micros = 0;  // Since 1970, UTC.
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};
struct Bytes {
  std::string data;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};
using List = std::vector<Value>;

// One cell of an answer. Whole numbers of every width are integers where they fit and their digits as text where not;
// decimals with places become the nearest double (cast to VARCHAR for exact digits); dates, times, UUIDs and intervals come as text;
// structs, maps and unions as their JSON text.
struct Value {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, Timestamp, List> data;
  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  // Text for people and CSV: "" for null, [a, b] for lists, "2026-11-22 10:15:00[.ffffff]" for timestamps.
  std::string to_text() const;
  // JSON: timestamps as ISO-8601 text, bytes as base64.
  void append_json(std::string& out) const;
  friend bool operator==(const Value&, const Value&) = default;
};

// An answer, whole in memory: for results that a person or a test reads, not for data on its way to files.
struct ResultTable {
  std::vector<std::string> columns;
  std::vector<std::string> types;  // The engine's names: BIGINT, VARCHAR, DOUBLE[].
  std::vector<std::vector<Value>> rows;
};

struct ColumnStatistics {
  std::optional<Value> minimum, maximum;  // Absent where unknown, all null, or tainted by NaN.
  std::int64_t null_count = 0;
};

struct ColumnInfo {
  std::string name;
  std::string type;  // As in ResultTable::types.
  friend bool operator==(const ColumnInfo&, const ColumnInfo&) = default;
};

// A Parquet file just written.
struct ParquetFile {
  std::vector<ColumnInfo> schema;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::map<std::string, ColumnStatistics> columns;  // Top-level columns of plain types only.
};

struct EngineOptions {
  std::filesystem::path database = {};  // Empty: in memory.
  bool read_only = false;
  ByteCount memory_limit{std::uint64_t{1} << 30};
  int threads = 2;
  std::filesystem::path temporary = {};           // Where the engine may spill; empty: nowhere.
  std::optional<ByteCount> temporary_limit = {};  // Of what is spilled; without: the engine's own.
  // The only folders whose files statements may read and write (by absolute path), besides `database` and `temporary`;
  // empty: all of this machine. No statement reaches the network, loads an extension or changes a setting of the engine.
  std::vector<std::filesystem::path> folders = {};
};

// One connection: temporary tables live in it. Used by one thread at a time. Text in errors is the engine's
// own, with the statement's beginning. kInvalid: wrong SQL or data. kOverloaded: memory limit.
class Session {
 public:
  virtual ~Session() = default;
  // Runs one or more statements separated by ';', for effect.
  virtual Result<void> run(std::string_view statements) = 0;
  // Runs one statement and gives all its rows.
  virtual Result<ResultTable> query(std::string_view statement) = 0;
  // The same, but takes rows as they come to be and gives up once there are more than `most` (kOverloaded).
  virtual Result<ResultTable> query_within(std::string_view statement, std::size_t most) = 0;
  // Ends the statement that runs now: it gives kCancelled. From any thread; the session must outlive the call.
  virtual void interrupt() = 0;
  // Makes (or replaces) the temporary table `name` from the batch, whole chunks at a time. kTimestamp columns
  // become TIMESTAMPTZ, kBytes BLOB.
  virtual Result<void> load(std::string_view name, const ColumnBatch& batch) = 0;
  // Adds the batch's rows to a table that load or run made; columns in the same order and types.
  virtual Result<void> append(std::string_view name, const ColumnBatch& batch) = 0;
  // Makes the temporary view `name` of the batch's rows where they lie, in their order: nothing is copied. The batch must stay as it is
  // until another of the same columns is lent under this name, or the session ends. For rows that are read once or twice.
  virtual Result<void> lend(std::string_view name, const ColumnBatch& batch) = 0;
  // Writes the rows of a SELECT into one Parquet file (zstd or snappy, data pages v1) with its statistics.
  // The file is not synced.
  virtual Result<ParquetFile> write_parquet(std::string_view select, const std::filesystem::path& path) = 0;
};

// The SQL engine: DuckDB behind our own face; no other module sees it. Safe from any thread. UTC is its time
// zone, and it loads no extensions and reaches no network.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Result<std::unique_ptr<Session>> connect() = 0;  // The engine must outlive the session.
};

Result<std::unique_ptr<Engine>> open_engine(const EngineOptions& options);

// 'it''s' and "a ""b""": for building statements.
std::string quote_text(std::string_view text);
std::string quote_name(std::string_view name);

}  // namespace pinflow::sql
