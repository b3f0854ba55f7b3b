#include "query/sql_route.h"

#include <functional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "access/caller.h"
#include "doors/answer_on.h"
#include "doors/denied.h"
#include "query/status_of.h"

namespace pinflow::query {

using http::Request;
using http::Responder;
using http::Response;

namespace {

constexpr std::string_view kParquet = "application/vnd.apache.parquet";

// By ?format=, else by the first of Accept's types that is one of ours. Nothing where there is none.
std::optional<AnswerFormat> format_of(const Request& request) {
  if (const auto format = request.query_value("format")) {
    if (*format == "json") return AnswerFormat::kDocument;
    if (*format == "csv") return AnswerFormat::kCsv;
    if (*format == "parquet") return AnswerFormat::kParquet;
    return {};
  }
  std::string_view accept = request.headers.get("Accept").value_or("*/*");
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    std::string_view type = accept.substr(0, std::min(accept.substr(0, comma).find(';'), comma));
    while (type.starts_with(' ')) type.remove_prefix(1);
    while (type.ends_with(' ')) type.remove_suffix(1);
    if (type == "application/json" || type == "application/*" || type == "*/*") return AnswerFormat::kDocument;
    if (type == "text/csv" || type == "text/*") return AnswerFormat::kCsv;
    if (type == kParquet) return AnswerFormat::kParquet;
    accept.remove_prefix(std::min(comma + 1, accept.size()));
  }
  return {};
}

Result<void> read_json(const std::string& body, Query& query) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(body).get(members) != simdjson::SUCCESS)
    return fail(ErrorCode::kInvalid, R"(the body is no JSON object: expected {"sql": "SELECT ..."})");
  for (const auto [key, value] : members) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS)
      return fail(ErrorCode::kInvalid, fmt::format("member {} must be a text", key));
    if (key == "sql") {
      query.sql = text;
    } else if (key == "as_of") {
      TRY_ASSIGN(query.read_at, parse_read_at(text));
    } else {
      return fail(ErrorCode::kInvalid, fmt::format("unknown member {}: expected sql and as_of", key));
    }
  }
  return {};
}

Result<Query> parse(const Request& request) {
  Query query;
  const std::string_view type = request.headers.get("Content-Type").value_or("");
  if (type.starts_with("application/json")) {
    TRY(read_json(request.body, query));
  } else {
    query.sql = request.body;
  }
  if (const auto as_of = request.query_value("as_of")) {
    TRY_ASSIGN(query.read_at, parse_read_at(*as_of));
  }
  if (query.sql.empty()) return fail(ErrorCode::kInvalid, R"(no statement: send {"sql": "SELECT ..."} or plain text)");
  query.caller = request.caller == nullptr ? "anyone" : request.caller->name();
  return query;
}

std::string_view type_of(AnswerFormat format) {
  if (format == AnswerFormat::kCsv) return "text/csv; charset=utf-8";
  return format == AnswerFormat::kParquet ? kParquet : "application/json";
}

Response response_of(Result<QueryAnswer> answer, AnswerFormat format) {
  if (!answer) {
    // An unknown table is a wrong statement: /sql itself is there.
    const int status = status_of(answer.error().code);
    return Response::refusal(status == 404 ? 400 : status, answer.error().message);
  }
  Response response = Response::json(200, std::move(answer->body), type_of(format));
  response.headers.add("Cache-Control", "no-store");
  std::string versions;  // Which state of which table was read, for who wants to ask again with as_of.
  for (const auto& [table, version] : answer->versions)
    versions += fmt::format("{}{}={}", versions.empty() ? "" : ", ", table, version);
  if (!versions.empty()) response.headers.add("Pinflow-Table-Versions", std::move(versions));
  response.headers.add("Pinflow-Rows", fmt::to_string(answer->rows));
  return response;
}

}  // namespace

void SqlRoute::add_to(http::Router& router) {
  http::RouteOptions options;
  options.max_body = ByteCount(2 * runner_.limits().statement.count());  // As JSON it is longer.
  router.add("POST", "/sql", *this, &SqlRoute::ask, options);
}

void SqlRoute::ask(Request request, Responder respond) {
  if (!access::may(request.caller, access::Right::kQuery))
    return respond(doors::denied(request.caller, access::Right::kQuery, {}));
  const auto format = format_of(request);
  if (!format)
    return respond(Response::refusal(406, fmt::format("answers are application/json, text/csv or {}", kParquet)));
  auto query = parse(request);
  if (!query) return respond(Response::refusal(400, query.error().message));
  query->format = *format;
  doors::answer_on(
      pool_, std::move(respond),
      [this, query = *std::move(query), abandoned = request.abandoned] {
        std::stop_source stop;
        const auto end = [&stop] { stop.request_stop(); };
        const std::stop_callback when_abandoned(abandoned, end);
        const std::stop_callback when_closing(stop_.get_token(), end);
        return response_of(runner_.run(query, stop.get_token()), query.format);
      },
      "too many statements wait already; try again");
}

}  // namespace pinflow::query
