#include "query/query_runner.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "query/internal/child_process.h"
#include "query/table_views.h"

namespace pinflow::query {

namespace {

constexpr std::chrono::seconds kGrace{
    3};  // For a statement to end itself after its time, and for its process to start.

std::string_view word_of(AnswerFormat format) {
  switch (format) {
    case AnswerFormat::kTable:
      return "table";
    case AnswerFormat::kCsv:
      return "csv";
    case AnswerFormat::kJson:
      return "json";
    case AnswerFormat::kDocument:
      return "document";
    case AnswerFormat::kParquet:
      return "parquet";
  }
  return "table";
}

// A folder that goes away with what is in it.
class ScratchFolder final {
 public:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string request_of(const Query& query, const TableViews& views, const RunnerOptions& options,
                       std::string_view prelude, const std::filesystem::path& scratch) {
  const auto whole = [](std::uint64_t number) { return static_cast<std::int64_t>(number); };
  const QueryLimits& limits = options.limits;
  JsonWriter writer;
  writer.begin_object().key("sql").string(query.sql).key("prelude").string(prelude);
  writer.key("format").string(word_of(query.format)).key("scratch").string(scratch.string());
  writer.key("rows").integer(whole(limits.rows)).key("memory").integer(whole(limits.memory.count()));
  writer.key("spill").integer(whole(limits.spill.count())).key("threads").integer(limits.threads);
  writer.key("time_ms").integer(limits.time.count()).key("folders").begin_array();
  for (const auto& folder : options.folders) writer.string(folder.string());
  writer.end_array().key("views").begin_array();
  for (const TableView& view : views.views) {
    writer.begin_object().key("name").string(view.name).key("select").string(view.select);
    writer.key("at_hand").boolean(view.at_hand).end_object();
  }
  writer.end_array().end_object();
  return std::move(writer).take();
}

ErrorCode code_named(std::string_view word) {
  for (const ErrorCode code : {ErrorCode::kInvalid, ErrorCode::kNotFound, ErrorCode::kConflict, ErrorCode::kOverloaded,
                               ErrorCode::kUnavailable, ErrorCode::kCorrupt, ErrorCode::kCancelled}) {
    if (to_string(code) == word) return code;
  }
  return ErrorCode::kUnavailable;
}

std::unexpected<Error> over_time(const QueryLimits& limits) {
  return fail(ErrorCode::kOverloaded,
              fmt::format("the statement took longer than {} ms, and was ended: ask for less, or "
                          "raise the limit (docs/sql.md)",
                          limits.time.count()));
}

// Why there is no whole answer.
std::unexpected<Error> broken(const internal::ChildEnd& end, const QueryLimits& limits) {
  if (end.cancelled) return fail(ErrorCode::kCancelled, "nobody waits for the answer any more");
  if (end.timed_out || end.signal == SIGXCPU) return over_time(limits);
  if (end.too_much) {
    return fail(ErrorCode::kOverloaded,
                fmt::format("the answer is larger than {} bytes: ask for less, or add LIMIT", limits.answer.count()));
  }
  return fail(ErrorCode::kOverloaded,
              fmt::format("the statement broke its process ({} {}), most likely for want of memory; nothing else was "
                          "hurt. It may have {} bytes: ask for less at a time",
                          end.signal != 0 ? "signal" : "exit code", end.signal != 0 ? end.signal : end.exit_code,
                          limits.memory.count()));
}

// The first line says how it went, the rest is the answer. The process ran a stranger's statement: what it says is not trusted.
Result<QueryAnswer> read_end(internal::ChildEnd end, const QueryLimits& limits) {
  const std::size_t line = end.output.find('\n');
  if (end.cancelled || end.timed_out || end.too_much || line == std::string::npos) return broken(end, limits);
  simdjson::dom::parser parser;
  simdjson::dom::element head;
  if (parser.parse(end.output.data(), line, true).get(head) != simdjson::SUCCESS) return broken(end, limits);
  std::string_view error;
  std::string_view message;
  if (head["error"].get(error) == simdjson::SUCCESS && head["message"].get(message) == simdjson::SUCCESS) {
    const ErrorCode code = code_named(error);
    if (code == ErrorCode::kCancelled) return over_time(limits);
    std::string text(message);
    if (code == ErrorCode::kOverloaded) text += ": ask for less, add LIMIT, or raise the limit (docs/sql.md)";
    return fail(code, std::move(text));
  }
  QueryAnswer answer;
  if (head["rows"].get(answer.rows) != simdjson::SUCCESS || end.signal != 0 || end.exit_code != 0)
    return broken(end, limits);
  answer.body = std::move(end.output);
  answer.body.erase(0, line + 1);
  return answer;
}

Result<std::string> take_file(const std::filesystem::path& path, const QueryLimits& limits) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorCode::kUnavailable, fmt::format("no answer in {}: {}", path.string(), error.message()));
  if (size > limits.answer.count()) {
    return fail(ErrorCode::kOverloaded,
                fmt::format("the answer is larger than {} bytes: ask for less, or add LIMIT", limits.answer.count()));
  }
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

QueryRunner::QueryRunner(RunnerOptions options, const RunnerContext& context)
    : options_(std::move(options)), context_(context) {}

Result<QueryAnswer> QueryRunner::run(const Query& query, const std::stop_token& stop) {
  constexpr std::size_t kShown = 1'000;
  const auto begin = context_.clock.steady_now();
  auto answer = run_unlogged(query, stop);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.steady_now() - begin);
  context_.logger.info("statement", {{"caller", query.caller},
                                     {"sql", std::string_view(query.sql).substr(0, kShown)},
                                     {"took_ms", took.count()},
                                     {"rows", answer ? answer->rows : 0},
                                     {"bytes", answer ? answer->body.size() : 0},
                                     {"outcome", answer ? std::string_view("ok") : to_string(answer.error().code)}});
  return answer;
}

Result<QueryAnswer> QueryRunner::run_unlogged(const Query& query, const std::stop_token& stop) {
  const QueryLimits& limits = options_.limits;
  if (query.sql.size() > limits.statement.count()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the statement has {} bytes, more than {}", query.sql.size(), limits.statement.count()));
  }
  TRY_ASSIGN(auto views, views_for(query.sql, context_.tables, context_.engine, context_.names, query.read_at));
  const ScratchFolder scratch(options_.scratch / fmt::format("{}-{}", ::getpid(), next_.fetch_add(1)));
  const std::string request = request_of(query, views, options_, context_.statements.prelude(), scratch.path());
  TRY_ASSIGN(auto end,
             internal::run_child(options_.worker, request, limits.answer.count(), limits.time + kGrace, stop));
  TRY_ASSIGN(QueryAnswer answer, read_end(std::move(end), limits));
  if (query.format == AnswerFormat::kParquet) {
    TRY_ASSIGN(answer.body, take_file(scratch.path() / "answer.parquet", limits));
  }
  answer.versions = std::move(views.versions);
  return answer;
}

}  // namespace pinflow::query
