#include "schedule/run_routes.h"

#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "doors/answer_on.h"
#include "doors/denied.h"
#include "schedule/requests.h"
#include "schedule/run_json.h"

namespace pinflow::schedule {

using http::Request;
using http::Responder;
using http::Response;

namespace {

constexpr std::uint64_t kUsualRuns = 20;
constexpr std::uint64_t kUsualTimes = 5;
constexpr std::uint64_t kMostTimes = 1'000;
constexpr ByteCount kMaxBody{std::uint64_t{64} << 10};

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kCorrupt:
      return 500;
  }
  return 500;
}

Response told(int status, std::string body) {
  Response response = Response::json(status, std::move(body) + "\n");
  response.headers.add("Cache-Control", "no-store");
  return response;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A number of the query, from 1 to `most`.
Result<std::uint64_t> number_of(const Request& request, std::string_view name, std::uint64_t usual,
                                std::uint64_t most) {
  const auto text = request.query_value(name);
  if (!text) return usual;
  const auto number = parse_number(*text);
  if (!number || *number == 0 || *number > most)
    return fail(ErrorCode::kInvalid, fmt::format("{} is '{}': expected a number from 1 to {}", name, *text, most));
  return *number;
}

Result<std::uint64_t> run_in_path(const Request& request) {
  const std::string& text = request.parameter("id");
  const auto id = parse_number(text);
  if (!id) return fail(ErrorCode::kNotFound, fmt::format("there is no run '{}': GET /runs lists them", text));
  return *id;
}

Result<std::optional<RunState>> state_of(const Request& request) {
  const auto text = request.query_value("state");
  if (!text) return std::nullopt;
  if (const auto state = parse_state(*text)) return state;
  std::string all;
  for (const RunState state : kStates) all += fmt::format("{}{}", all.empty() ? "" : ", ", to_string(state));
  return fail(ErrorCode::kInvalid, fmt::format("state is '{}': expected one of {}", *text, all));
}

struct Backfill {
  std::string from, until;
  std::string policy = "missing";
  std::string order = "oldest";
  bool dry_run = false;
};

Result<Backfill> parse_backfill(const std::string& body) {
  constexpr std::string_view kForm =
      R"({"from": "2026-11-01", "until": "2026-11-08", "policy": "missing", "order": "oldest", "dry_run": true})";
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(body).get(members) != simdjson::SUCCESS)
    return fail(ErrorCode::kInvalid, fmt::format("the body is no JSON object: expected {}", kForm));
  Backfill asked;
  for (const auto [key, value] : members) {
    std::string* const text = key == "from"     ? &asked.from
                              : key == "until"  ? &asked.until
                              : key == "policy" ? &asked.policy
                              : key == "order"  ? &asked.order
                                                : nullptr;
    std::string_view found;
    if (text != nullptr && value.get(found) == simdjson::SUCCESS) {
      *text = found;
    } else if (text != nullptr) {
      return fail(ErrorCode::kInvalid, fmt::format("member {} must be a text", key));
    } else if (key != "dry_run") {
      return fail(ErrorCode::kInvalid, fmt::format("unknown member {}: expected {}", key, kForm));
    } else if (value.get(asked.dry_run) != simdjson::SUCCESS) {
      return fail(ErrorCode::kInvalid, "member dry_run must be true or false");
    }
  }
  if (asked.from.empty() || asked.until.empty())
    return fail(ErrorCode::kInvalid, fmt::format("from and until are needed: expected {}", kForm));
  return asked;
}

std::string plan_json(const BackfillPlan& plan, bool dry_run, const std::vector<std::uint64_t>& runs) {
  JsonWriter json;
  json.begin_object().key("intervals").integer(static_cast<std::int64_t>(plan.intervals));
  json.key("dry_run").boolean(dry_run).key("to_run").begin_array();
  for (const Interval& interval : plan.to_run) {
    json.begin_object().key("interval_start").string(format_iso8601(interval.start));
    json.key("interval_end").string(format_iso8601(interval.end)).end_object();
  }
  json.end_array().key("runs").begin_array();
  for (const std::uint64_t run : runs) json.integer(static_cast<std::int64_t>(run));
  json.end_array().end_object();
  return std::move(json).take();
}

std::string name_of(const Request& request) {
  return request.caller == nullptr ? "anyone" : request.caller->name();
}

}  // namespace

RunRoutes::RunRoutes(RunStore& store, const Rules& rules, const Clock& clock, Logger& logger,
                     std::function<void()> wake)
    : store_(store), rules_(rules), clock_(clock), logger_(logger), wake_(std::move(wake)), pool_(1, kMaxWaiting) {}

void RunRoutes::add_to(http::Router& router) {
  add(router, "GET", "/runs", &RunRoutes::list);
  add(router, "POST", "/runs", &RunRoutes::start);
  add(router, "GET", "/runs/{id}", &RunRoutes::one);
  add(router, "POST", "/runs/{id}/retry", &RunRoutes::retry);
  add(router, "GET", "/schedule", &RunRoutes::show);
  add(router, "POST", "/schedule/pause", &RunRoutes::pause);
  add(router, "POST", "/schedule/resume", &RunRoutes::resume);
  add(router, "POST", "/schedule/backfill", &RunRoutes::backfill);
}

void RunRoutes::add(http::Router& router, std::string_view method, std::string_view pattern, Answering answering) {
  const access::Right right = method == "GET" ? access::Right::kQuery : access::Right::kAdmin;
  http::RouteOptions options;
  options.max_body = kMaxBody;
  router.add(
      std::string(method), pattern,
      [this, right, answering](Request request, Responder respond) {
        if (!access::may(request.caller, right)) return respond(doors::denied(request.caller, right, {}));
        doors::answer_on(
            pool_, std::move(respond),
            [this, answering, request = std::move(request)] {
              auto answer = (this->*answering)(request);
              return answer ? *std::move(answer)
                            : Response::refusal(status_of(answer.error().code), answer.error().message);
            },
            "too many questions about runs wait already; try again");
      },
      options);
}

Result<Response> RunRoutes::list(const Request& request) {
  TRY_ASSIGN(const std::uint64_t limit, number_of(request, "limit", kUsualRuns, kMaxRunsOfAnswer));
  TRY_ASSIGN(const std::uint64_t before, number_of(request, "before", INT64_MAX, INT64_MAX));
  TRY_ASSIGN(const auto wanted, state_of(request));
  JsonWriter json;
  std::uint64_t found = 0;
  std::uint64_t last = 0;
  bool more = false;
  json.begin_object().key("runs").begin_array();
  TRY(store_.look([&](const History& history) {
    auto next = history.runs().lower_bound(before);
    while (next != history.runs().begin()) {
      const Run& run = (--next)->second;
      if (wanted && run.state != *wanted) continue;
      if (found == limit) {
        more = true;
        return;
      }
      json.raw(run_json(run, RunDetail::kBrief));
      last = run.id;
      ++found;
    }
  }));
  json.end_array().key("next");
  if (more) {
    json.string(fmt::format("/runs?before={}&limit={}{}", last, limit,
                            wanted ? fmt::format("&state={}", to_string(*wanted)) : ""));
  } else {
    json.null();
  }
  json.end_object();
  return told(200, std::move(json).take());
}

Result<Response> RunRoutes::run_of(std::uint64_t id, int status) {
  std::optional<std::string> body;
  TRY(store_.look([&](const History& history) {
    if (const Run* const run = history.find(id)) body = run_json(*run, RunDetail::kWhole);
  }));
  if (!body) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}: GET /runs lists them", id));
  Response response = told(status, *std::move(body));
  if (status == 202) response.headers.add("Location", fmt::format("/runs/{}", id));
  return response;
}

Result<Response> RunRoutes::one(const Request& request) {
  TRY_ASSIGN(const std::uint64_t id, run_in_path(request));
  return run_of(id, 200);
}

Result<Response> RunRoutes::start(const Request& request) {
  TRY_ASSIGN(const std::uint64_t id, ask_for_run(store_, clock_));
  logger_.info("a run is asked for", {{"run", id}, {"caller", name_of(request)}});
  wake_();
  return run_of(id, 202);
}

Result<Response> RunRoutes::retry(const Request& request) {
  TRY_ASSIGN(const std::uint64_t id, run_in_path(request));
  TRY(ask_for_retry(store_, id));
  logger_.info("a run is to be tried again", {{"run", id}, {"caller", name_of(request)}});
  wake_();
  return run_of(id, 202);
}

Result<Response> RunRoutes::show(const Request& request) {
  TRY_ASSIGN(const std::uint64_t count, number_of(request, "count", kUsualTimes, kMostTimes));
  return schedule_now(static_cast<int>(count));
}

Result<Response> RunRoutes::schedule_now(int times) {
  std::string body;
  TRY(store_.look([&](const History& history) { body = schedule_json(rules_, history, clock_.now(), times); }));
  return told(200, std::move(body));
}

Result<Response> RunRoutes::set_paused(const Request& request, bool paused) {
  TRY_ASSIGN(const bool changed, schedule::set_paused(store_, paused));
  if (changed) logger_.info(paused ? "the schedule is paused" : "the schedule goes on", {{"caller", name_of(request)}});
  wake_();
  return schedule_now(kUsualTimes);
}

Result<Response> RunRoutes::pause(const Request& request) {
  return set_paused(request, true);
}

Result<Response> RunRoutes::resume(const Request& request) {
  return set_paused(request, false);
}

Result<Response> RunRoutes::backfill(const Request& request) {
  TRY_ASSIGN(const Backfill asked, parse_backfill(request.body));
  TRY_ASSIGN(const WallTime from, parse_moment("from", asked.from));
  TRY_ASSIGN(const WallTime until, parse_moment("until", asked.until));
  TRY_ASSIGN(const BackfillPolicy policy, parse_policy(asked.policy));
  TRY_ASSIGN(const BackfillOrder order, parse_order(asked.order));
  Result<BackfillPlan> plan{BackfillPlan{}};
  TRY(store_.look([&](const History& history) {
    plan = plan_backfill(rules_, history, from, until, clock_.now(), policy, order);
  }));
  if (!plan) return fail(plan.error());
  if (asked.dry_run) return told(200, plan_json(*plan, true, {}));
  if (plan->to_run.size() > kMaxQueuedAtOnce) {
    return fail(ErrorCode::kInvalid, fmt::format("{} runs would be queued, and {} may be at once: take a shorter range",
                                                 plan->to_run.size(), kMaxQueuedAtOnce));
  }
  const auto runs = ask_for_backfill(store_, *plan);
  wake_();  // Also where only a part could be queued.
  if (!runs) return fail(runs.error());
  logger_.info("a backfill is asked for", {{"runs", runs->size()}, {"caller", name_of(request)}});
  return told(202, plan_json(*plan, false, *runs));
}

}  // namespace pinflow::schedule
