#include "query/question_routes.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "access/caller.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "batch/questions.h"
#include "delta/table.h"
#include "doors/answer_on.h"
#include "doors/denied.h"
#include "query/status_of.h"

namespace pinflow::query {

using batch::Publication;
using batch::PublishedQuestion;
using http::Request;
using http::Responder;
using http::Response;

namespace {

constexpr std::string_view kFolder = "questions/";
constexpr std::array<std::string_view, 3> kSuffixes = {".json", ".csv", ".parquet"};

std::string_view state_of(const PublishedQuestion& question, const Publication& publication) {
  if (question.run_id.empty()) return question.error.empty() ? "unanswered" : "failed";
  return question.run_id == publication.run_id ? "answered" : "stale";
}

void write_texts(JsonWriter& writer, const std::vector<std::string>& texts) {
  writer.begin_array();
  for (const std::string& text : texts) writer.string(text);
  writer.end_array();
}

void write_state(JsonWriter& writer, const PublishedQuestion& question, const Publication& publication) {
  writer.key("name").string(question.name).key("description").string(question.description);
  writer.key("state").string(state_of(question, publication)).key("error").string(question.error);
  writer.key("run_id").string(question.run_id);
}

void write_run(JsonWriter& writer, const Publication& publication) {
  writer.key("run").begin_object().key("id").string(publication.run_id);
  writer.key("started").string(format_iso8601(publication.started));
  writer.key("finished").string(format_iso8601(publication.finished)).key("data_through");
  publication.data_through ? writer.string(format_iso8601(*publication.data_through)) : writer.null();
  writer.end_object();
}

void write_links(JsonWriter& writer, const std::string& name) {
  writer.key("links").begin_object().key("self").string("/questions/" + name);
  for (const std::string_view suffix : kSuffixes)
    writer.key(suffix.substr(1)).string(fmt::format("/questions/{}{}", name, suffix));
  writer.end_object();
}

// What there is when nothing was published yet: the questions of the files, all without an answer. So a file that was dropped into the
// folder since the last run is listed too.
void add_unanswered(Publication& publication, const sql::Statements& statements) {
  for (const sql::Statement& statement : statements.in_folder("questions")) {
    const std::string name = statement.name.substr(kFolder.size());
    if (std::ranges::find(publication.questions, name, &PublishedQuestion::name) != publication.questions.end())
      continue;
    publication.questions.push_back({name, statement.description, statement.columns, {}, 0, {}, {}});
  }
  std::ranges::sort(publication.questions, {}, &PublishedQuestion::name);
}

Result<Publication> known(objects::ObjectStore& tables, const sql::Statements& statements) {
  auto publication = batch::read_publication(tables);
  if (!publication && publication.error().code != ErrorCode::kNotFound) return publication;
  Publication all = publication ? *std::move(publication) : Publication{};
  add_unanswered(all, statements);
  return all;
}

Response tagged(const Request& request, const std::string& tag, std::string_view type,
                std::move_only_function<Result<std::string>()> make) {
  const std::string quoted = fmt::format("\"{}\"", tag);
  const auto wanted = request.headers.get("If-None-Match");
  Response response;
  if (wanted && (*wanted == "*" || wanted->find(quoted) != std::string_view::npos)) {
    response.status = 304;
  } else {
    auto body = make();
    if (!body) return Response::refusal(status_of(body.error().code), body.error().message);
    response = Response::json(200, *std::move(body), type);
  }
  response.headers.add("ETag", quoted);
  response.headers.add("Cache-Control", "no-cache");  // Kept, and asked for again each time.
  return response;
}

std::string document(const PublishedQuestion& question, const Publication& publication, const sql::ResultTable& table) {
  JsonWriter writer;
  writer.begin_object();
  write_state(writer, question, publication);
  write_run(writer, publication);
  write_links(writer, question.name);
  writer.key("columns");
  write_texts(writer, table.columns);
  writer.key("rows").begin_array();
  for (const auto& row : table.rows) {
    writer.begin_array();
    for (const sql::Value& value : row) {
      std::string json;
      value.append_json(json);
      writer.raw(json);
    }
    writer.end_array();
  }
  writer.end_array().key("row_count").integer(static_cast<std::int64_t>(table.rows.size())).end_object();
  return std::move(writer).take() + "\n";
}

// The SELECT of one version of an answer, in the order of the question's file.
Result<std::string> select_answer(objects::ObjectStore& tables, sql::Engine& engine, const std::string& table,
                                  delta::Version version) {
  TRY_ASSIGN(const auto snapshot, delta::read_snapshot(tables, engine, table, version));
  TRY_ASSIGN(const std::string select, delta::select_all(tables, table, snapshot));
  return fmt::format("SELECT * EXCLUDE (answer_order) FROM (\n{}\n) AS answer ORDER BY answer_order", select);
}

Result<std::string> parquet(objects::ObjectStore& tables, sql::Session& session, const std::string& select) {
  TRY_ASSIGN(const disk::Path path, tables.scratch(".parquet"));
  auto written = session.write_parquet(select, path);
  Result<std::string> bytes = fail(ErrorCode::kUnavailable, "the answer's file is gone");
  if (!written) {
    bytes = fail(written.error());
  } else if (std::ifstream file(path, std::ios::binary); file) {
    bytes = std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return bytes;
}

}  // namespace

void QuestionRoutes::add_to(http::Router& router) {
  add(router, "/questions", &QuestionRoutes::list);
  add(router, "/questions/{name}", &QuestionRoutes::one);
  add(router, "/checks", &QuestionRoutes::checks);
}

void QuestionRoutes::add(http::Router& router, std::string_view pattern, Answering answering) {
  router.add("GET", pattern, [this, answering](Request request, Responder respond) {
    if (!access::may(request.caller, access::Right::kQuery))
      return respond(doors::denied(request.caller, access::Right::kQuery, {}));
    doors::answer_on(
        pool_, std::move(respond),
        [this, answering, request = std::move(request)] { return (this->*answering)(request); },
        "too many questions wait already; try again");
  });
}

Response QuestionRoutes::list(const Request& request) {
  const auto publication = known(tables_, statements_);
  if (!publication) return Response::refusal(status_of(publication.error().code), publication.error().message);
  return tagged(request, fmt::format("{}-{}", publication->run_id, publication->questions.size()), "application/json",
                [&]() -> Result<std::string> {
                  JsonWriter writer;
                  writer.begin_object();
                  write_run(writer, *publication);
                  writer.key("questions").begin_array();
                  for (const PublishedQuestion& question : publication->questions) {
                    writer.begin_object();
                    write_state(writer, question, *publication);
                    writer.key("columns");
                    write_texts(writer, question.columns);
                    writer.key("rows").integer(question.rows);
                    write_links(writer, question.name);
                    writer.end_object();
                  }
                  writer.end_array().end_object();
                  return std::move(writer).take() + "\n";
                });
}

Response QuestionRoutes::one(const Request& request) {
  std::string name = request.parameter("name");
  std::string_view suffix;
  for (const std::string_view ending : kSuffixes) {
    if (name.ends_with(ending)) suffix = ending;
  }
  name.resize(name.size() - suffix.size());
  const auto publication = known(tables_, statements_);
  if (!publication) return Response::refusal(status_of(publication.error().code), publication.error().message);
  const auto question = std::ranges::find(publication->questions, name, &PublishedQuestion::name);
  if (question == publication->questions.end()) {
    std::string all;
    for (const PublishedQuestion& each : publication->questions) all += (all.empty() ? "" : ", ") + each.name;
    return Response::refusal(404, fmt::format("there is no question '{}'. The questions are: {}", name, all));
  }
  const auto table = publication->tables.find(question->table);
  if (question->run_id.empty() || table == publication->tables.end()) {
    return Response::refusal(404, question->error.empty()
                                      ? fmt::format("no answer to question {} yet; run `pinflow batch run` first", name)
                                      : fmt::format("question {} has no answer: {}", name, question->error));
  }
  std::string_view type = "application/json";
  if (suffix == ".csv") type = "text/csv; charset=utf-8";
  if (suffix == ".parquet") type = "application/vnd.apache.parquet";
  const std::string tag =
      fmt::format("{}-{}-{}{}", publication->run_id, question->run_id, table->second.version, suffix);
  return tagged(request, tag, type, [&]() -> Result<std::string> {
    TRY_ASSIGN(const auto select, select_answer(tables_, engine_, table->first, table->second.version));
    TRY_ASSIGN(const auto session, engine_.connect());
    if (suffix == ".parquet") return parquet(tables_, *session, select);
    TRY_ASSIGN(const auto rows, session->query(select));
    if (suffix == ".csv") return batch::format_csv(rows);
    return suffix == ".json" ? batch::format_json(rows) : document(*question, *publication, rows);
  });
}

Response QuestionRoutes::checks(const Request& request) {
  const auto publication = batch::read_publication(tables_);
  if (!publication) return Response::refusal(status_of(publication.error().code), publication.error().message);
  return tagged(request, publication->run_id, "application/json", [&]() -> Result<std::string> {
    JsonWriter writer;
    writer.begin_object();
    write_run(writer, *publication);
    writer.key("checks").begin_array();
    for (const batch::PublishedCheck& check : publication->checks) {
      writer.begin_object().key("name").string(check.name).key("description").string(check.description);
      writer.key("severity").string(check.stops ? "stop" : "warn");
      writer.key("findings").integer(static_cast<std::int64_t>(check.findings));
      writer.key("error").string(check.error).end_object();
    }
    writer.end_array().end_object();
    return std::move(writer).take() + "\n";
  });
}

}  // namespace pinflow::query
