#include "query/query_worker.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "batch/questions.h"
#include "query/internal/sandbox.h"
#include "query/statement_fence.h"
#include "sql/engine.h"

namespace pinflow::query {

namespace {

using simdjson::dom::element;

struct View {
  std::string name;
  std::string select;
  bool at_hand = false;
};

struct Request {
  std::string sql, prelude, format;
  std::vector<View> views;
  std::uint64_t rows = 0, memory = 0, spill = 0;
  int threads = 1;
  std::chrono::milliseconds time{0};
  std::filesystem::path scratch;
  std::vector<std::filesystem::path> folders;
};

std::string read_all(int from) {
  std::string text;
  char buffer[65'536];
  while (true) {
    const ssize_t got = ::read(from, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

// The request comes from the program that started this process, so it has all its members.
Request parse_request(const std::string& text) {
  simdjson::dom::parser parser;
  const element root = parser.parse(text);
  const auto word = [&](const char* name) { return std::string(std::string_view(root[name])); };
  const auto number = [&](const char* name) { return static_cast<std::uint64_t>(std::int64_t(root[name])); };
  Request request;
  request.sql = word("sql");
  request.prelude = word("prelude");
  request.format = word("format");
  request.rows = number("rows");
  request.memory = number("memory");
  request.spill = number("spill");
  request.threads = static_cast<int>(number("threads"));
  request.time = std::chrono::milliseconds(std::int64_t(root["time_ms"]));
  request.scratch = word("scratch");
  for (const element folder : simdjson::dom::array(root["folders"]))
    request.folders.emplace_back(std::string_view(folder));
  for (const element view : simdjson::dom::array(root["views"])) {
    request.views.push_back({std::string(std::string_view(view["name"])), std::string(std::string_view(view["select"])),
                             bool(view["at_hand"])});
  }
  return request;
}

// Interrupts the statement when its time is over. The program that started us kills us a little later if that does not help.
class Alarm final {
 public:
  Alarm(sql::Session& session, std::chrono::milliseconds time)
      : thread_([&session, time, this](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          const auto end = std::chrono::steady_clock::now() + time;
          (void)never_.wait_until(lock, stop, end, [] { return false; });
          if (!stop.stop_requested()) session.interrupt();
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any never_;
  std::jthread thread_;
};

void append_row(JsonWriter& writer, const std::vector<sql::Value>& row) {
  writer.begin_array();
  for (const sql::Value& value : row) {
    std::string json;
    value.append_json(json);
    writer.raw(json);
  }
  writer.end_array();
}

// What POST /sql answers: names may be double, so rows are arrays.
std::string format_document(const sql::ResultTable& table) {
  JsonWriter writer;
  writer.begin_object().key("columns").begin_array();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    writer.begin_object().key("name").string(table.columns[i]).key("type").string(table.types[i]).end_object();
  }
  writer.end_array().key("rows").begin_array();
  for (const auto& row : table.rows) append_row(writer, row);
  writer.end_array().key("row_count").integer(static_cast<std::int64_t>(table.rows.size())).end_object();
  return std::move(writer).take() + "\n";
}

std::string format_as(std::string_view format, const sql::ResultTable& table) {
  if (format == "csv") return batch::format_csv(table);
  if (format == "json") return batch::format_json(table);
  if (format == "document") return format_document(table);
  return batch::format_table(table);
}

Result<void> check(sql::Session& session, const Request& request, std::string_view query) {
  if (!simdjson::validate_utf8(query)) return fail(ErrorCode::kInvalid, "the statement is not UTF-8");
  if (query.find('\0') != std::string_view::npos) return fail(ErrorCode::kInvalid, "the statement holds a NUL byte");
  const auto tree = session.query(fmt::format("SELECT json_serialize_sql({})", sql::quote_text(query)));
  if (!tree) return fail(tree.error().code, "the statement is nested too deeply");
  std::map<std::string, bool> tables;
  for (const View& view : request.views) tables.emplace(in_small_letters(view.name), view.at_hand);
  return check_tree(tree->rows.at(0).at(0).to_text(), tables);
}

struct Done {
  std::string body;
  std::uint64_t rows = 0;
};

Result<Done> write_parquet(sql::Session& session, const Request& request, std::string_view query) {
  const std::filesystem::path path = request.scratch / "answer.parquet";
  // As a view, for what may stand behind the query: a semicolon, a comment.
  TRY(session.run("CREATE TEMP VIEW pinflow_answer AS " + std::string(query)));
  TRY_ASSIGN(const auto file,
             session.write_parquet(fmt::format("SELECT * FROM pinflow_answer LIMIT {}", request.rows + 1), path));
  if (file.rows > request.rows) return fail(ErrorCode::kOverloaded, fmt::format("more than {} rows", request.rows));
  return Done{{}, file.rows};  // Who started us takes the file.
}

Result<Done> run(const Request& request) {
  sql::EngineOptions options;
  options.memory_limit = ByteCount(request.memory);
  options.threads = request.threads;
  options.temporary = request.scratch / "spill";
  options.temporary_limit = ByteCount(request.spill);
  options.folders = request.folders;
  options.folders.push_back(request.scratch);
  TRY_ASSIGN(const auto engine, sql::open_engine(options));
  TRY_ASSIGN(const auto session, engine->connect());
  const Alarm alarm(*session, request.time);
  const auto [explain, query] = split_explain(request.sql);
  TRY(check(*session, request, query));
  TRY(session->run(request.prelude));
  for (const View& view : request.views)
    TRY(session->run(fmt::format("CREATE VIEW {} AS {}", sql::quote_name(view.name), view.select)));
  if (request.format == "parquet") {
    if (!explain.empty()) return fail(ErrorCode::kInvalid, "a plan cannot be written as Parquet");
    return write_parquet(*session, request, query);
  }
  TRY_ASSIGN(const auto table, session->query_within(std::string(explain) + std::string(query), request.rows));
  return Done{format_as(request.format, table), table.rows.size()};
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// What the engine must write out beside its memory meets the limit of the kernel before its own.
Error named(Error error, const Request& request) {
  if (error.message.find(std::strerror(EFBIG)) == std::string::npos) return error;
  return {ErrorCode::kOverloaded, fmt::format("the statement needs more than {} bytes of memory and {} bytes beside it",
                                              request.memory, request.spill)};
}

std::string failure(const Error& error) {
  JsonWriter writer;
  writer.begin_object().key("error").string(to_string(error.code)).key("message").string(error.message).end_object();
  return std::move(writer).take() + "\n";
}

internal::SandboxLimits limits_of(const Request& request) {
  // What the engine does not count (strings on the way, stacks, buffers of the allocator) has the same again and some.
  constexpr std::uint64_t kBeyondEngine = std::uint64_t{1} << 30;
  internal::SandboxLimits limits;
  limits.memory = ByteCount(2 * request.memory + kBeyondEngine);
  limits.file_size = ByteCount(request.spill);
  limits.cpu_seconds = static_cast<int>(request.time.count() / 1000 + 2) * (request.threads + 1);
  limits.readable = request.folders;
  limits.writable = request.scratch;
  return limits;
}

}  // namespace

void run_query_worker() {
  // Whatever a library throws ends this process alone.
  try {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    const Request request = parse_request(read_all(STDIN_FILENO));
    if (auto locked = internal::enter_sandbox(limits_of(request)); !locked) {
      write_all(failure(locked.error()));
      ::_exit(0);
    }
    const auto done = run(request);
    if (done) {
      write_all(fmt::format("{{\"rows\":{}}}\n", done->rows));
      write_all(done->body);
    } else {
      write_all(failure(named(done.error(), request)));
    }
  } catch (const std::exception&) {
    write_all(failure({ErrorCode::kOverloaded, "the statement needs more memory than it may have"}));
  }
  ::_exit(0);
}

}  // namespace pinflow::query
