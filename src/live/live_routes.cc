#include "live/live_routes.h"

#include <array>
#include <utility>

#include <fmt/core.h>

#include "live/answer_json.h"
#include "live/query_string.h"

namespace pinflow::live {

using http::Request;
using http::Responder;
using http::Response;

namespace {

using Parser = Result<Query> (*)(const Request&);
constexpr std::array<std::pair<std::string_view, Parser>, 7> kRoutes = {
    {{"/live/profiles", parse_profiles},
     {"/live/profiles/{name}", parse_profile},
     {"/live/categories", parse_categories},
     {"/live/countries", parse_countries},
     {"/live/age-groups", parse_age_groups},
     {"/live/minutes", parse_minutes},
     {"/live/recommendations", parse_recommendations}}};

Response response_of(const Query& query, const Answer& answer, const Weights& weights) {
  if (const auto* const asked = std::get_if<ProfileQuery>(&query);
      asked != nullptr && !std::get<ProfileAnswer>(answer.body).profile) {
    return Response::refusal(
        404, fmt::format("no post of a profile '{}' was seen; GET /live/profiles lists those there are", asked->name));
  }
  Response response = Response::json(200, answer_json(query, answer, weights));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

LiveRoutes::LiveRoutes(LiveAnswers& metrics)
    : metrics_(metrics), thread_([this](const std::stop_token& stop) { run(stop); }) {}

LiveRoutes::~LiveRoutes() {
  thread_.request_stop();
  thread_.join();
  // No handler runs any more, but one may have asked while the thread ended.
  for (Question& question : waiting_)
    question.respond(Response::refusal(503, "the server stops; ask again when it is back"));
}

void LiveRoutes::add_to(http::Router& router) {
  for (const auto& [pattern, parse] : kRoutes) {
    router.add("GET", pattern,
               [this, parse](Request request, Responder respond) { ask(parse(request), std::move(respond)); });
  }
}

void LiveRoutes::ask(Result<Query> query, Responder respond) {
  if (!query) return respond(Response::refusal(400, query.error().message));
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back({std::move(*query), std::move(respond)});
      asked_.notify_one();
      return;
    }
  }
  respond(Response::refusal(503, "too many questions about live metrics wait already; try again"));
}

void LiveRoutes::run(const std::stop_token& stop) {
  while (true) {
    std::vector<Question> questions;
    {
      std::unique_lock lock(mutex_);
      if (!asked_.wait(lock, stop, [&] { return !waiting_.empty(); }) || stop.stop_requested()) return;
      while (!waiting_.empty() && questions.size() < kMaxTogether) {
        questions.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
    }
    answer(std::move(questions));
  }
}

void LiveRoutes::answer(std::vector<Question> questions) {
  std::vector<Query> queries;
  queries.reserve(questions.size());
  for (Question& question : questions) queries.push_back(std::move(question.query));
  const std::vector<Answer> answers = metrics_.answer_all(queries);
  const Weights weights = metrics_.weights();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    questions[i].respond(response_of(queries[i], answers[i], weights));
  }
}

}  // namespace pinflow::live
