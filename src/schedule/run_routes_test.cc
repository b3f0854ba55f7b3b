#include "schedule/run_routes.h"

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>

#include <gmock/gmock.h>

#include "base/timestamp.h"
#include "disk/memory_disk.h"
#include "doors/openapi_fixture.h"
#include "schedule/requests.h"
#include "schedule/run_metrics.h"
#include "schedule/runner.h"

namespace pinflow::schedule {
namespace {

using namespace std::chrono;
using http::Request;
using http::Response;
using testing::HasSubstr;
using testing::Not;

WallTime utc(std::string_view text) {
  return parse_iso8601(text).value();
}

// A history on a disk in memory with its routes, and a runner; the Scheduler's thread where a test starts it.
class RunRoutesTest : public testing::Test {
 protected:
  RunRoutesTest() { routes_.add_to(router_); }
  ~RunRoutesTest() override { scheduler_.stop(); }

  Response send(const std::string& method, const std::string& path, std::string_view pattern, std::string body = {},
                std::shared_ptr<const access::Caller> caller = nullptr) {
    Request request;
    request.method = method;
    for (std::size_t at = 1; at < path.size();) {
      const std::size_t slash = std::min(path.find('/', at), std::min(path.find('?', at), path.size()));
      request.segments.push_back(path.substr(at, slash - at));
      if (slash < path.size() && path[slash] == '?') {
        add_query(request, path.substr(slash + 1));
        break;
      }
      at = slash + 1;
    }
    request.body = std::move(body);
    request.caller = std::move(caller);
    // Shared with the responder, which may outlive this call.
    auto promise = std::make_shared<std::promise<Response>>();
    router_.handle(std::move(request), [promise](Response response) { promise->set_value(std::move(response)); });
    Response response = promise->get_future().get();
    EXPECT_EQ(api_.complaint(method, pattern, response), "") << path << ' ' << response.status << ' ' << response.body;
    return response;
  }
  static void add_query(Request& request, const std::string& query) {
    for (std::size_t at = 0; at < query.size();) {
      const std::size_t end = std::min(query.find('&', at), query.size());
      const std::string pair = query.substr(at, end - at);
      request.query.emplace_back(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
      at = end + 1;
    }
  }
  Response runs(const std::string& query = {}) { return send("GET", "/runs" + query, "/runs"); }
  Response backfill(std::string body) {
    return send("POST", "/schedule/backfill", "/schedule/backfill", std::move(body));
  }

  // The interval of the next run that the thread executes; empty where it does not begin within a time that only a thread that sleeps
  // to its next look exceeds.
  std::optional<WallTime> next_run() {
    std::unique_lock lock(mutex_);
    if (!began_.wait_for(lock, seconds(30), [this] { return !begun_.empty(); })) return std::nullopt;
    const WallTime start = begun_.front();
    begun_.pop_front();
    return start;
  }

  ManualClock clock_{utc("2026-11-22T10:00:00Z")};
  Random random_{5};
  disk::MemoryDisk disk_;
  NullLogger logger_;
  Rules rules_{*Cron::parse("@daily"), TimeZone::utc(), CatchUp::kLatest, 2, minutes(5), hours(1), {}, {}};
  std::unique_ptr<RunStore> store_ = RunStore::open("/schedule", disk_, clock_, random_).value();
  std::function<Outcome(const JobCall&)> job_ = [](const JobCall&) { return Outcome{}; };
  Runner runner_{*store_, clock_, logger_, rules_, [this](const JobCall& call) { return job_(call); }};
  Scheduler scheduler_{runner_, clock_, logger_};
  RunRoutes routes_{*store_, rules_, clock_, logger_, [this] { scheduler_.wake(); }};
  http::Router router_;
  doors::OpenApi api_;
  std::mutex mutex_;
  std::condition_variable began_;
  std::deque<WallTime> begun_;  // Intervals of runs that the thread has begun and next_run() did not tell yet.
};

TEST_F(RunRoutesTest, ListsRunsTheNewestFirstInPages) {
  EXPECT_EQ(runs().body, "{\"runs\":[],\"next\":null}\n");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(runner_.start_manual({}));
  const Response first = runs("?limit=2");
  EXPECT_THAT(first.body, testing::ContainsRegex("\"id\":9,.*\"id\":7,"));
  EXPECT_THAT(first.body, HasSubstr(R"("next":"/runs?before=7&limit=2")"));
  const Response last = runs("?before=7&limit=3");
  EXPECT_THAT(last.body, testing::ContainsRegex("\"id\":5,.*\"id\":3,.*\"id\":1,"));
  EXPECT_THAT(last.body, HasSubstr(R"("next":null)"));
}

TEST_F(RunRoutesTest, ListsRunsOfOneState) {
  ASSERT_TRUE(runner_.start_manual({}));
  job_ = [](const JobCall&) {
    Outcome outcome;
    outcome.success = outcome.retry = false;
    outcome.message = "disk full";
    return outcome;
  };
  ASSERT_TRUE(runner_.start_manual({}));
  const Response failed = runs("?state=failed");
  EXPECT_THAT(failed.body, HasSubstr("disk full"));
  EXPECT_THAT(failed.body, Not(HasSubstr(R"("id":1)")));
}

TEST_F(RunRoutesTest, ARunHasItsReport) {
  job_ = [](const JobCall&) {
    Outcome outcome;
    outcome.report.emplace();
    outcome.report->batch_run = "6f1c";
    outcome.report->published = true;
    outcome.report->objects = 3;
    outcome.report->kinds = {{.kind = "pin", .records = 12, .added = 8}};
    outcome.report->checks = {{"unknown", true, 4}};
    outcome.report->failures = {{"questions/mine", "line 3"}};
    outcome.steps = {{"read", milliseconds(40)}};
    return outcome;
  };
  ASSERT_TRUE(runner_.start_manual({}));
  const Response one = send("GET", "/runs/1", "/runs/{id}");
  EXPECT_EQ(one.status, 200);
  EXPECT_THAT(one.body, HasSubstr(R"("report":{"batch_run":"6f1c","published":true,"objects":3)"));
  EXPECT_THAT(one.body, HasSubstr(R"("pin":{"records":12,"added":8)"));
  EXPECT_THAT(one.body, HasSubstr(R"("unknown":{"severity":"stop","findings":4})"));
  EXPECT_THAT(one.body, HasSubstr(R"({"statement":"questions/mine","error":"line 3"})"));
  EXPECT_THAT(one.body, HasSubstr(R"("steps_ms":{"read":40})"));
}

TEST_F(RunRoutesTest, SaysWhatIsWrong) {
  EXPECT_EQ(send("GET", "/runs/17", "/runs/{id}").status, 404);
  EXPECT_THAT(send("GET", "/runs/x", "/runs/{id}").body, HasSubstr("there is no run 'x'"));
  EXPECT_EQ(send("POST", "/runs/17/retry", "/runs/{id}/retry").status, 404);
  EXPECT_THAT(runs("?limit=0").body, HasSubstr("expected a number from 1 to 1000"));
  EXPECT_THAT(runs("?before=-1").body, HasSubstr("before is '-1'"));
  EXPECT_THAT(runs("?state=asleep").body, HasSubstr("expected one of queued, running"));
  EXPECT_THAT(backfill("{").body, HasSubstr("no JSON object"));
  EXPECT_THAT(backfill(R"({"from":"2026-11-01"})").body, HasSubstr("from and until are needed"));
  EXPECT_THAT(backfill(R"({"from":"yesterday","until":"2026-11-08"})").body, HasSubstr("from 'yesterday'"));
  EXPECT_THAT(backfill(R"({"from":"2026-11-01","until":"2026-11-08","policy":"some"})").body,
              HasSubstr("policy 'some'"));
  EXPECT_THAT(backfill(R"({"from":"2026-11-01","until":"2026-11-08","dry_run":1})").body, HasSubstr("true or false"));
  EXPECT_THAT(backfill(R"({"from":"2026-11-01","to":"2026-11-08"})").body, HasSubstr("unknown member to"));
  EXPECT_THAT(backfill(R"({"from":"2020-11-01","until":"2026-11-08"})").body, HasSubstr("take a shorter range"));
}

TEST_F(RunRoutesTest, AsksForTheRightToQueryOrToAdminister) {
  const auto with = [](access::Right right) {
    return std::make_shared<const access::Caller>("them", std::vector<access::Grant>{{right, "*"}});
  };
  const auto status = [&](const char* method, const char* path, const char* pattern, access::Right right) {
    return send(method, path, pattern, {}, with(right)).status;
  };
  EXPECT_EQ(status("GET", "/runs", "/runs", access::Right::kProduce), 403);
  EXPECT_EQ(status("GET", "/schedule", "/schedule", access::Right::kProduce), 403);
  EXPECT_EQ(status("GET", "/runs", "/runs", access::Right::kQuery), 200);
  EXPECT_EQ(status("GET", "/schedule", "/schedule", access::Right::kQuery), 200);
  for (const auto& [path, pattern] : {std::pair{"/runs", "/runs"},
                                      {"/runs/1/retry", "/runs/{id}/retry"},
                                      {"/schedule/pause", "/schedule/pause"},
                                      {"/schedule/resume", "/schedule/resume"},
                                      {"/schedule/backfill", "/schedule/backfill"}})
    EXPECT_EQ(status("POST", path, pattern, access::Right::kQuery), 403) << path;
  EXPECT_TRUE(store_->read()->runs().empty());
  EXPECT_EQ(status("POST", "/runs", "/runs", access::Right::kAdmin), 202);
}

TEST_F(RunRoutesTest, StartsARunThatTheSchedulerExecutes) {
  const Response started = send("POST", "/runs", "/runs");
  EXPECT_EQ(started.status, 202);
  EXPECT_EQ(started.headers.get("Location"), "/runs/1");
  EXPECT_THAT(started.body, HasSubstr(R"("kind":"manual","state":"queued")"));
  const Response again = send("POST", "/runs", "/runs");
  EXPECT_EQ(again.status, 409);
  EXPECT_THAT(again.body, HasSubstr("run 1 is queued"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Scheduler::step(runner_, clock_, clock_.now(), {}));
  EXPECT_THAT(send("GET", "/runs/1", "/runs/{id}").body, HasSubstr(R"("state":"success")"));
  EXPECT_THAT(send("POST", "/runs/1/retry", "/runs/{id}/retry").body, HasSubstr(R"("state":"queued")"));
}

TEST_F(RunRoutesTest, ABackfillIsToldBeforeAndQueuedInItsOrder) {
  const Response told = backfill(R"({"from":"2026-11-18","until":"2026-11-20","dry_run":true})");
  EXPECT_EQ(told.status, 200);
  EXPECT_THAT(told.body, HasSubstr(R"({"intervals":2,"dry_run":true,"to_run":[{"interval_start":"2026-11-18T)"));
  EXPECT_TRUE(store_->read()->runs().empty());
  const Response queued = backfill(R"({"from":"2026-11-18","until":"2026-11-20","order":"newest"})");
  EXPECT_EQ(queued.status, 202);
  EXPECT_THAT(queued.body, HasSubstr(R"("runs":[1,2])"));
  EXPECT_EQ(store_->read()->find(1)->interval.start, utc("2026-11-19T00:00:00Z"));
  EXPECT_THAT(backfill(R"({"from":"2026-11-18","until":"2026-11-20","policy":"all"})").body, HasSubstr(R"("runs":[])"));
}

TEST_F(RunRoutesTest, TellsTheScheduleAndItsMetrics) {
  ASSERT_TRUE(runner_.start_manual({}));
  const Response paused = send("POST", "/schedule/pause", "/schedule/pause");
  EXPECT_THAT(paused.body, HasSubstr(R"("enabled":true,"paused":true)"));
  const Response shown = send("GET", "/schedule?count=2", "/schedule");
  EXPECT_THAT(shown.body, HasSubstr(R"("next":["2026-11-23T00:00:00.000Z","2026-11-24T00:00:00.000Z"])"));
  EXPECT_THAT(shown.body, HasSubstr(R"("success":1)"));
  doors::MetricsWriter out;
  write_run_metrics(out, store_->status(), rules_, clock_.now());
  const std::string text = std::move(out).take();
  EXPECT_THAT(text, HasSubstr("pinflow_runs{state=\"success\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("pinflow_schedule_paused 1\n"));
  EXPECT_THAT(text, HasSubstr("pinflow_schedule_next_timestamp_seconds 1795392000\n"));
  EXPECT_THAT(text, HasSubstr("pinflow_run_last_success_timestamp_seconds 1795341600\n"));
  EXPECT_THAT(text, HasSubstr("pinflow_run_last_duration_milliseconds 0\n"));
}

// The thread sleeps to its next look, which lies a minute of real time away: only a wake() lets it see what was asked for.
TEST_F(RunRoutesTest, TheThreadSeesAtOnceWhatIsAskedFor) {
  job_ = [this](const JobCall& call) {
    const std::scoped_lock lock(mutex_);
    begun_.push_back(call.interval.start);
    began_.notify_one();
    return Outcome{};
  };
  scheduler_.start();
  ASSERT_EQ(send("POST", "/runs", "/runs").status, 202);
  ASSERT_EQ(next_run(), utc("2026-11-22T10:00:00Z"));
  send("POST", "/schedule/pause", "/schedule/pause");
  clock_.advance(hours(14));  // The day of the 22nd is over: due, and held back.
  ASSERT_EQ(backfill(R"({"from":"2026-11-18","until":"2026-11-19"})").status, 202);
  EXPECT_EQ(next_run(), utc("2026-11-18T00:00:00Z"));
  send("POST", "/schedule/resume", "/schedule/resume");
  EXPECT_EQ(next_run(), utc("2026-11-22T00:00:00Z"));
}

TEST_F(RunRoutesTest, TwoSchedulersExecuteWhatIsAskedForOnce) {
  auto other_store = RunStore::open("/schedule", disk_, clock_, random_).value();
  int mine = 0;
  int others = 0;
  job_ = [&](const JobCall&) {
    ++mine;
    return Outcome{};
  };
  Runner other(*other_store, clock_, logger_, rules_, [&](const JobCall&) {
    ++others;
    return Outcome{};
  });
  ASSERT_EQ(backfill(R"({"from":"2026-11-01","until":"2026-11-21"})").status, 202);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(Scheduler::step(i % 3 == 0 ? other : runner_, clock_, clock_.now(), {}));
  }
  EXPECT_EQ(mine + others, 20);
  EXPECT_GT(mine, 0);
  EXPECT_GT(others, 0);
  EXPECT_EQ(store_->read()->count(RunState::kSuccess), 20u);
}

}  // namespace
}  // namespace pinflow::schedule
