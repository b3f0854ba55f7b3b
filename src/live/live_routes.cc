#include "live/live_routes.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow::live {

using http::Request;
using http::Responder;
using http::Response;

namespace {

constexpr std::array<std::pair<std::string_view, Order>, 3> kOrders = {
    {{"popularity", Order::kPopularity}, {"activity", Order::kActivity}, {"followers", Order::kFollowers}}};

std::string_view to_string(Order order) {
  for (const auto& [name, value] : kOrders) {
    if (value == order) return name;
  }
  return "";
}

Result<std::size_t> parse_k(std::string_view text) {
  std::size_t k = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), k);
  if (error != std::errc() || end != text.data() + text.size() || k < 1 || k > kMaxTop) {
    return fail(ErrorCode::kInvalid,
                fmt::format("k says how many profiles to give: a whole number from 1 to {}, not '{}'", kMaxTop, text));
  }
  return k;
}

Result<Order> parse_order(std::string_view text) {
  for (const auto& [name, order] : kOrders) {
    if (name == text) return order;
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("by says what to order by: popularity, activity or followers, not '{}'", text));
}

Response unavailable(std::string_view why) {
  Response response = Response::failure(503, 50301, why);
  response.headers.set("Retry-After", "1");
  return response;
}

void write_head(JsonWriter& json, const Answer& answer, const Weights& weights) {
  const Ranking& ranking = answer.ranking;
  json.key("formula_version").integer(kFormulaVersion);
  json.key("weights").begin_object();
  json.key("followers").number(weights.followers);
  json.key("activity").number(weights.activity);
  json.key("velocity").number(weights.velocity).end_object();
  json.key("as_of").string(format_iso8601(ranking.as_of));
  json.key("positions").begin_array();
  for (const auto& position : answer.positions) {
    json.begin_object().key("topic").string(position.partition.topic);
    json.key("partition").integer(position.partition.partition.value());
    json.key("next_offset").integer(position.next.value());
    json.key("lag").integer(position.lag()).end_object();
  }
  json.end_array();
  json.key("profiles").integer(static_cast<std::int64_t>(ranking.profiles));
  json.key("active_profiles").integer(static_cast<std::int64_t>(ranking.active_profiles));
  json.key("medians").begin_object().key("activity").number(ranking.activity_median);
  json.key("velocity").number(ranking.velocity_median).end_object();
}

void write_item(JsonWriter& json, const ProfileView& item) {
  json.begin_object().key("rank").integer(static_cast<std::int64_t>(item.rank));
  json.key("profile").string(item.name);
  json.key("popularity").number(item.popularity);
  json.key("followers");
  if (item.followers) {
    json.integer(*item.followers);
  } else {
    json.null();
  }
  json.key("posts").integer(static_cast<std::int64_t>(item.posts));
  json.key("activity").number(item.activity);
  json.key("velocity").number(item.velocity);
  json.key("last_post").string(format_iso8601(item.last_post));
  json.key("parts").begin_object().key("followers").number(item.followers_part);
  json.key("activity").number(item.activity_part);
  json.key("velocity").number(item.velocity_part).end_object();
  json.end_object();
}

Response top_response(const Query& query, const Answer& answer, const Weights& weights) {
  JsonWriter json;
  json.begin_object();
  write_head(json, answer, weights);
  json.key("by").string(to_string(query.order));
  json.key("items").begin_array();
  for (const ProfileView& item : answer.ranking.items) write_item(json, item);
  json.end_array().end_object();
  return Response::json(200, std::move(json).take());
}

Response one_response(const Query& query, const Answer& answer, const Weights& weights) {
  if (answer.ranking.items.empty()) {
    return Response::failure(
        404, 40401,
        fmt::format("no post of a profile '{}' was seen; GET /live/profiles lists those there are", *query.name));
  }
  JsonWriter json;
  json.begin_object();
  write_head(json, answer, weights);
  json.key("item");
  write_item(json, answer.ranking.items.front());
  json.end_object();
  return Response::json(200, std::move(json).take());
}

}  // namespace

Result<Query> parse_query(const std::vector<std::pair<std::string, std::string>>& query) {
  Query parsed;
  for (const auto& [name, value] : query) {
    if (name == "k") {
      TRY_ASSIGN(parsed.k, parse_k(value));
    } else if (name == "by") {
      TRY_ASSIGN(parsed.order, parse_order(value));
    } else {
      return fail(ErrorCode::kInvalid, fmt::format("'{}' is no parameter here; allowed are k and by", name));
    }
  }
  return parsed;
}

LiveRoutes::LiveRoutes(LiveMetrics& metrics)
    : metrics_(metrics), thread_([this](const std::stop_token& stop) { run(stop); }) {}

LiveRoutes::~LiveRoutes() {
  thread_.request_stop();
  thread_.join();
  // No handler runs any more, but one may have asked while the thread ended.
  for (Question& question : waiting_) question.respond(unavailable("the server stops; ask again when it is back"));
}

void LiveRoutes::add_to(http::Router& router) {
  router.add("GET", "/live/profiles", *this, &LiveRoutes::top);
  router.add("GET", "/live/profiles/{name}", *this, &LiveRoutes::one);
}

void LiveRoutes::top(Request request, Responder respond) {
  auto query = parse_query(request.query);
  if (!query) return respond(Response::failure(400, 40001, query.error().message));
  ask(std::move(*query), std::move(respond));
}

void LiveRoutes::one(Request request, Responder respond) {
  ask({.name = request.parameter("name")}, std::move(respond));
}

void LiveRoutes::ask(Query query, Responder respond) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back({std::move(query), std::move(respond)});
      asked_.notify_one();
      return;
    }
  }
  respond(unavailable("too many questions about live profiles wait already; try again"));
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
    questions[i].respond(queries[i].name ? one_response(queries[i], answers[i], weights)
                                         : top_response(queries[i], answers[i], weights));
  }
}

}  // namespace pinflow::live
