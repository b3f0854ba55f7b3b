#include "sink/internal/parquet_rows.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"

namespace pinflow::sink::internal {

namespace {

constexpr std::uint64_t kEngineMemory = std::uint64_t{256} << 20;

// A file that is gone when this goes.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string quoted() const { return sql::quote_text(path_.string()); }

 private:
  const std::filesystem::path path_;
};

std::string_view codec_name(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "uncompressed";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kSnappy:
      break;
  }
  return "snappy";
}

std::string headers_text(const std::vector<log::Header>& headers) {
  JsonWriter json;
  json.begin_array();
  for (const log::Header& header : headers) {
    json.begin_object().key("key").string(header.key).key("value");
    header.value ? json.string(base64_encode(*header.value)) : json.null();
    json.end_object();
  }
  json.end_array();
  return std::move(json).take();
}

}  // namespace

namespace {

// Parquet files of other tools have the columns of their records.
Result<void> check_columns(sql::Session& session, const std::string& quoted_file) {
  auto columns = session.query(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", quoted_file));
  if (!columns && columns.error().code != ErrorCode::kInvalid) return fail(std::move(columns).error());
  if (!columns) return fail(ErrorCode::kCorrupt, "it is no whole Parquet file");
  const auto has = [&](std::string_view name, std::string_view type) {
    for (std::size_t i = 0; i < columns->columns.size(); ++i)
      if (columns->columns[i] == name) return columns->types[i] == type;
    return false;
  };
  if (has("offset", "BIGINT") && has("value", "VARCHAR")) return {};
  return fail(ErrorCode::kInvalid, "a Parquet file without the columns offset and value, so none of this sink's");
}

}  // namespace

ColumnBatch parquet_rows() {
  std::vector<Column> columns;
  columns.emplace_back("offset", ColumnType::kInt64);
  columns.emplace_back("timestamp", ColumnType::kTimestamp);
  columns.emplace_back("key", ColumnType::kBytes);
  columns.emplace_back("value", ColumnType::kText);
  columns.emplace_back("headers", ColumnType::kText);
  return ColumnBatch(std::move(columns));
}

void append_row(ColumnBatch& rows, const log::StoredRecord& record, std::string_view line) {
  rows.column(0).append_integer(record.offset.value());
  rows.column(1).append_integer(std::chrono::microseconds(record.timestamp.time_since_epoch()).count());
  record.key ? rows.column(2).append_text(*record.key) : rows.column(2).append_null();
  rows.column(3).append_text(line);
  record.headers.empty() ? rows.column(4).append_null() : rows.column(4).append_text(headers_text(record.headers));
}

Result<std::unique_ptr<ParquetPacker>> ParquetPacker::open() {
  std::string folder = (std::filesystem::temp_directory_path() / "pinflow-sink-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    return fail(ErrorCode::kUnavailable, fmt::format("cannot make a folder {} for Parquet files", folder));
  sql::EngineOptions options;
  options.memory_limit = ByteCount(kEngineMemory);
  options.threads = 1;
  options.folders = {folder};
  auto engine = sql::open_engine(options);
  if (!engine) return fail(std::move(engine).error());
  return std::unique_ptr<ParquetPacker>(new ParquetPacker(std::move(folder), *std::move(engine)));
}

ParquetPacker::ParquetPacker(std::filesystem::path folder, std::unique_ptr<sql::Engine> engine)
    : folder_(std::move(folder)), engine_(std::move(engine)) {}

ParquetPacker::~ParquetPacker() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path ParquetPacker::fresh_path() {
  return folder_ / fmt::format("{}.parquet", ++made_);
}

Result<std::string> ParquetPacker::pack(Compression compression, const ColumnBatch& rows) {
  const TemporaryFile file(fresh_path());
  TRY_ASSIGN(const auto session, engine_->connect());
  TRY(session->load("sunk", rows));
  TRY(session->run(fmt::format("COPY (SELECT * FROM sunk ORDER BY \"offset\") TO {} (FORMAT parquet, COMPRESSION {})",
                               file.quoted(), codec_name(compression))));
  std::ifstream stream(file.path(), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream || bytes.empty())
    return fail(ErrorCode::kUnavailable, fmt::format("cannot read the Parquet file {}", file.path().string()));
  return bytes;
}

Result<std::string> ParquetPacker::lines(const std::string& bytes) {
  const TemporaryFile file(fresh_path());
  std::ofstream stream(file.path(), std::ios::binary);
  stream << bytes;
  stream.close();
  if (!stream)
    return fail(ErrorCode::kUnavailable, fmt::format("cannot write the Parquet file {}", file.path().string()));
  TRY_ASSIGN(const auto session, engine_->connect());
  TRY(check_columns(*session, file.quoted()));
  TRY_ASSIGN(const auto rows,
             session->query(fmt::format("SELECT \"value\" FROM read_parquet({}) ORDER BY \"offset\"", file.quoted())));
  std::string lines;
  for (const std::vector<sql::Value>& row : rows.rows) {
    const auto* const line = std::get_if<std::string>(&row[0].data);
    if (line == nullptr) return fail(ErrorCode::kInvalid, "the column 'value' holds other things than lines of text");
    lines += *line;
    lines += '\n';
  }
  return lines;
}

}  // namespace pinflow::sink::internal
