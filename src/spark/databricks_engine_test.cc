#include "spark/databricks_engine.h"

#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::spark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers as the documentation of the Jobs API has it, and keeps what it was asked.
class FakeDatabricks final : public aws::HttpTransport {
 public:
  Result<aws::HttpResponse> send(const aws::HttpRequest& request) override {
    std::string told = request.method + " " + request.url;
    for (const auto& [name, value] : request.headers) told += fmt::format("|{}: {}", name, value);
    asked.push_back(told + "|" + std::string(request.body));
    if (answers.empty()) return fail(ErrorCode::kUnavailable, "nobody answers");
    aws::HttpResponse response;
    std::tie(response.status, response.body) = answers.front();
    answers.pop_front();
    return response;
  }
  std::deque<std::pair<int, std::string>> answers;
  std::vector<std::string> asked;
};

class Steps final : public batch::Progress {
 public:
  void step(std::string_view name) override { names.emplace_back(name); }
  void reading(const batch::ReadProgress&) override {}
  std::vector<std::string> names;
};

class Databricks : public ::testing::Test {
 protected:
  Result<void> run() {
    options_.host = "https://adb-1.example";
    if (!options_.token) options_.token = [] { return Result<std::string>("secret"); };
    options_.pause = [this](std::chrono::milliseconds time, const std::stop_token&) {
      paused_.push_back(time);
      if (paused_.size() == stop_at_) stop_.request_stop();
    };
    return make_databricks_engine(http_, options_)
        ->run({.run_id = "9f-1", .program = "s3://b/t/p.py", .job = "s3://b/t/j", .result = "s3://b/t/r"}, &steps_,
              stop_.get_token());
  }
  static std::pair<int, std::string> state(const char* life_cycle, const char* result = "", const char* message = "") {
    return {
        200,
        fmt::format(
            R"({{"run_id":455,"state":{{"life_cycle_state":"{}","result_state":"{}","state_message":"{}"}},)"
            R"("run_page_url":"https://adb-1.example/run/455","tasks":[{{"run_id":77,"task_key":"pinflow_batch"}}]}})",
            life_cycle, result, message)};
  }

  FakeDatabricks http_;
  DatabricksOptions options_{.cluster = "0101-120000-example1"};
  Steps steps_;
  std::vector<std::chrono::milliseconds> paused_;
  std::size_t stop_at_ = 0;
  std::stop_source stop_;
  static constexpr const char* kHead = "|Host: adb-1.example|Authorization: Bearer secret";
};

TEST_F(Databricks, SubmitsOneRunAndAsksUntilItIsOver) {
  http_.answers = {
      {200, R"({"run_id":455})"}, state("PENDING"), state("RUNNING"), state("RUNNING"), state("TERMINATED", "SUCCESS")};
  const auto done = run();
  ASSERT_TRUE(done) << done.error().message;
  const std::string get = fmt::format("GET https://adb-1.example/api/2.1/jobs/runs/get?run_id=455{}|", kHead);
  EXPECT_THAT(
      http_.asked,
      ElementsAre(
          fmt::format(
              "POST https://adb-1.example/api/2.1/jobs/runs/submit{}|Content-Type: application/json|"
              R"({{"run_name":"pinflow batch","idempotency_token":"9f-1","tasks":[{{"task_key":"pinflow_batch",)"
              R"("existing_cluster_id":"0101-120000-example1","spark_python_task":{{"python_file":"s3://b/t/p.py",)"
              R"("parameters":["s3://b/t/j","s3://b/t/r"]}}}}]}})",
              kHead),
          get, get, get, get));
  EXPECT_THAT(steps_.names, ElementsAre("run 455 of Databricks is PENDING", "run 455 of Databricks is RUNNING"));
}

TEST_F(Databricks, AsksForAClusterOfItsOwn) {
  options_.cluster.clear();
  options_.new_cluster = R"({"spark_version":"17.3.x-scala2.13","num_workers":2})";
  http_.answers = {{200, R"({"run_id":455})"}, state("TERMINATED", "SUCCESS")};
  ASSERT_TRUE(run());
  EXPECT_THAT(http_.asked[0],
              HasSubstr(R"("new_cluster":{"spark_version":"17.3.x-scala2.13","num_workers":2},"spark_python_task")"));
}

TEST_F(Databricks, TellsTheErrorOfTheTask) {
  http_.answers = {{200, R"({"run_id":455})"},
                   state("TERMINATED", "FAILED", "Task failed"),
                   {200, R"({"error":"no such column","logs":"..."})"}};
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(
      done.error().message,
      "run 455 of Databricks ended as TERMINATED FAILED: Task failed (https://adb-1.example/run/455)\nno such column");
  EXPECT_THAT(http_.asked.back(), HasSubstr("/api/2.1/jobs/runs/get-output?run_id=77"));
}

TEST_F(Databricks, StopCancelsTheRun) {
  http_.answers = {{200, R"({"run_id":455})"}, state("RUNNING"), {200, "{}"}};
  stop_at_ = 1;
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(http_.asked.back(),
            fmt::format("POST https://adb-1.example/api/2.1/jobs/runs/cancel{}|Content-Type: application/json|"
                        R"({{"run_id":455}})",
                        kHead));
}

TEST_F(Databricks, TriesAgainWhatMayPassWithTheSameToken) {
  http_.answers = {
      {503, "later"}, {429, "slower"}, {200, R"({"run_id":455})"}, {500, "oh"}, state("TERMINATED", "SUCCESS")};
  ASSERT_TRUE(run());
  EXPECT_EQ(http_.asked[0], http_.asked[2]);
}

TEST_F(Databricks, GivesUpAndCancelsWhereNobodyAnswers) {
  http_.answers = {{200, R"({"run_id":455})"}};
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(http_.asked.size(), 1U + 5U + 1U);
  EXPECT_THAT(done.error().message, HasSubstr("run 455 of Databricks could not be cancelled"));
}

TEST_F(Databricks, SaysWhereATokenComesFromThatIsRefused) {
  http_.answers = {{403, R"({"error_code":"403","message":"Invalid access token."})"}};
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("Invalid access token."));
  EXPECT_THAT(done.error().message, HasSubstr("DATABRICKS_TOKEN"));
}

TEST_F(Databricks, RefusesAnAnswerWithoutARun) {
  http_.answers = {{200, R"({"job_id":1})"}};
  EXPECT_FALSE(run());
  http_.answers = {{200, R"({"run_id":455})"}, {200, "[]"}};
  EXPECT_FALSE(run());
}

}  // namespace
}  // namespace pinflow::spark
