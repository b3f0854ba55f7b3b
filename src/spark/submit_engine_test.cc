#include "spark/submit_engine.h"

#include <filesystem>
#include <fstream>
#include <stop_token>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::spark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Steps final : public batch::Progress {
 public:
  void step(std::string_view name) override {
    names.emplace_back(name);
    if (stop_at == name) stop.request_stop();
  }
  void reading(const batch::ReadProgress&) override {}
  std::vector<std::string> names;
  std::string stop_at;
  std::stop_source stop;
};

// A shell script in the place of spark-submit.
class SubmitEngine : public ::testing::Test {
 protected:
  SubmitEngine() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow_submit_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SubmitEngine() override { std::filesystem::remove_all(folder_); }

  Result<void> run(const std::string& script, SubmitOptions options = {}) {
    options.program = folder_ / "spark-submit";
    std::ofstream(options.program) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(options.program, std::filesystem::perms::owner_all);
    options.tables = "file:///tables";
    const auto engine = make_submit_engine(options);
    return engine->run({.run_id = "r",
                        .program = "s3a://bucket/p.py",
                        .local_program = "/state/batch/p.py",
                        .job = "file:///tables/j",
                        .result = "file:///tables/s"},
                       &steps_, steps_.stop.get_token());
  }
  std::string file(const char* name) {
    std::ifstream in(folder_ / name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  std::filesystem::path folder_;
  Steps steps_;
};

TEST_F(SubmitEngine, GivesSparkItsSettingsAndTheDriverItsTwoAddresses) {
  const auto done = run(fmt::format("for word; do echo \"$word\"; done > {}/words", folder_.string()),
                        {.master = "spark://host:7077",
                         .packages = "io.delta:delta-spark_4.1_2.13:4.3.1",
                         .properties = {"spark.driver.memory=4g", "a=b c"}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(file("words"),
            "--master\nspark://host:7077\n--name\npinflow batch\n--packages\nio.delta:delta-spark_4.1_2.13:4.3.1\n"
            "--conf\nspark.driver.memory=4g\n--conf\na=b c\n/state/batch/p.py\nfile:///tables/j\nfile:///tables/s\n");
}

TEST_F(SubmitEngine, TellsTheStepsOfTheDriver) {
  ASSERT_TRUE(run("echo pinflow step read; echo other; echo pinflow step ask"));
  EXPECT_THAT(steps_.names, ElementsAre("read, on Spark", "ask, on Spark"));
}

TEST_F(SubmitEngine, TellsTheExitCodeAndTheLastLines) {
  const auto done =
      run("i=0; while [ $i -lt 30 ]; do echo line $i.; i=$((i+1)); done; echo 26/11/23 INFO chatter; echo last >&2; "
          "exit 7");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(done.error().message, HasSubstr("ended with 7"));
  EXPECT_THAT(done.error().message, HasSubstr("line 29.\nlast"));
  EXPECT_THAT(done.error().message, Not(HasSubstr("line 10.\n")));
  EXPECT_THAT(done.error().message, Not(HasSubstr("chatter")));
}

TEST_F(SubmitEngine, TellsTheSignalThatEndedIt) {
  const auto done = run("kill -9 $$");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("was ended by signal 9"));
}

TEST_F(SubmitEngine, SaysHowToGetAProgramThatIsNotThere) {
  const auto engine = make_submit_engine({.program = folder_ / "missing"});
  const auto done = engine->run({}, nullptr, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(done.error().message, HasSubstr("batch.spark_submit"));
}

TEST_F(SubmitEngine, StopEndsTheChildAndWhatItStarted) {
  steps_.stop_at = "read, on Spark";
  // The child's own child holds the output open too: were it left, reading would go on for an hour.
  const auto done = run("sleep 3600 & echo pinflow step read; wait");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace pinflow::spark
