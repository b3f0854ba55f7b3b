#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kafka_rest/consumers.h"
#include "doors/kafka_rest/consumers_fixture.h"

namespace pinflow::doors::kafka_rest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ConsumersTest, BeginAtTheEndUnlessTold) {
  write_to("t", {"old"});
  make("a", R"("format":"json")");
  subscribe("a");
  pass(seconds(1));
  write_to("t", {"1"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("offset":1,)"));
}

TEST_F(ConsumersTest, WithoutAResetNeedAPosition) {
  join("a", R"("format":"json","auto.offset.reset":"none")");
  const auto refused = read("a");
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body,
              StartsWith(R"({"error_code":50002,"message":"Kafka error: Undefined offset with no reset)"));
}

TEST_F(ConsumersTest, SeekToOffsetsEdgesAndTimes) {
  join("a");
  for (int i = 0; i < 4; ++i) {
    auto record = text(std::to_string(i));
    record.timestamp = WallTime(milliseconds(1'700'000'000'000 + i * 1'000));
    produce("t", {record});
  }
  EXPECT_EQ(std::ranges::count(read("a").body, '{'), 4);
  const auto seek = [&](std::string_view below, std::string body) {
    EXPECT_EQ(ask("POST", path_of("a", below), std::move(body)).status, 204);
    return read("a").body;
  };
  EXPECT_THAT(seek("/positions", R"({"offsets":[{"topic":"t","partition":0,"offset":2,"metadata":"m"}]})"),
              StartsWith(R"([{"topic":"t","key":null,"value":2,)"));
  EXPECT_THAT(seek("/positions/beginning", R"({"partitions":[{"topic":"t","partition":0}]})"),
              StartsWith(R"([{"topic":"t","key":null,"value":0,)"));
  EXPECT_THAT(
      seek("/positions", R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"2023-11-14T23:13:22.5+01:00"}]})"),
      StartsWith(R"([{"topic":"t","key":null,"value":3,)"));
  EXPECT_EQ(ask("POST", path_of("a", "/positions/beginning"), R"({"partitions":[]})").status, 204);
  EXPECT_EQ(ask("POST", path_of("a", "/positions/end"), R"({"partitions":[{"topic":"t","partition":0}]})").status, 204);
  EXPECT_EQ(read_nothing("a"), "[]");
  // Behind all records: what comes next.
  EXPECT_EQ(ask("POST", path_of("a", "/positions"),
                R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"2033-01-01T00:00:00Z"}]})")
                .status,
            204);
  write_to("t", {"4"});
  EXPECT_THAT(read("a").body, StartsWith(R"([{"topic":"t","key":null,"value":4,)"));
  expect_refused(ask("POST", path_of("a", "/positions"), R"({"offsets":[{"topic":"t","partition":5,"offset":2}]})"),
                 409, 40903, "Illegal state: No current assignment for partition t-5");
}

TEST_F(ConsumersTest, SeekWhileTheyJoin) {
  make("a");
  subscribe("a");
  auto seeking = send("POST", path_of("a", "/positions"), R"({"offsets":[{"topic":"t","partition":0,"offset":1}]})");
  settle();
  EXPECT_EQ(seeking.wait_for(seconds(0)), std::future_status::timeout);
  pass(seconds(1));
  EXPECT_EQ(answer_of(std::move(seeking)).status, 204);
  write_to("t", {"0", "1"});
  EXPECT_THAT(read("a").body, StartsWith(R"([{"topic":"t","key":null,"value":1,)"));
}

TEST_F(ConsumersTest, ResetAPositionThatRetentionTook) {
  write_to("t", {"0", "1", "2"});
  join("a");
  ASSERT_TRUE(log_->delete_records({"t", log::PartitionId(0)}, log::Offset(2)));
  EXPECT_THAT(read("a").body, StartsWith(R"([{"topic":"t","key":null,"value":2,)"));
}

// ---- Commits.

TEST_F(ConsumersTest, CommitTheLastProcessedOffset) {
  join("a", kManual);
  write_to("t", {"0", "1", "2"});
  read("a");
  EXPECT_EQ(committed("a"), R"({"offsets":[]})");
  expect(ask("POST", path_of("a", "/offsets"),
             R"({"offsets":[{"topic":"t","partition":0,"offset":0,"metadata":"mine"}]})"),
         200, "[]");
  EXPECT_EQ(committed("a", R"({"topic":"t","partition":0},{"topic":"t","partition":1})"),
            R"({"offsets":[{"topic":"t","partition":0,"offset":1,"metadata":"mine"}]})");
  ask("DELETE", path_of("a"));
  join("b", kManual);
  EXPECT_THAT(read("b").body, StartsWith(R"([{"topic":"t","key":null,"value":1,)"));
}

TEST_F(ConsumersTest, CommitAllThatWasReadWithoutABody) {
  join("a", kManual);
  expect(ask("POST", path_of("a", "/offsets")), 200, "[]");  // Nothing was read: no failure.
  write_to("t", {"0", "1"});
  read("a");
  write_to("t", {"2"});
  expect(ask("POST", path_of("a", "/offsets")), 200, "[]");
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":2,)"));
  read("a");
  expect(ask("POST", path_of("a", "/offsets?async")), 200, "[]");
  settle();
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":3,)"));
}

TEST_F(ConsumersTest, SayWhichCommitsCannotBe) {
  join("a", kManual);
  expect_refused(ask("POST", path_of("a", "/offsets"), R"({"offsets":[{"topic":"t","partition":9,"offset":0}]})"), 404,
                 40403, "This server does not host this topic-partition.");
  expect_refused(ask("GET", path_of("a", "/offsets")), 404, 40402, "Partition not found.");
}

TEST_F(ConsumersTest, CommitByThemselvesWhatTheyReadBefore) {
  join("a");
  write_to("t", {"0"});
  read("a");
  pass(seconds(6));
  EXPECT_EQ(committed("a"), R"({"offsets":[]})");  // Whether it was processed shows when the next is asked for.
  write_to("t", {"1"});
  read("a");
  settle();
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":1,)"));
  ask("DELETE", path_of("a"));
  settle();
  make("b");
  EXPECT_THAT(committed("b"), HasSubstr(R"("offset":2,)"));
}

TEST_F(ConsumersTest, CommitWhatIsProcessedWhenPartitionsAreTakenAway) {
  join("a");
  write_to("t", {"0"});
  read("a");
  write_to("t", {"1"});
  read("a");
  join("b");
  pass(seconds(2));
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":1,)"));
}

TEST_F(ConsumersTest, NeverCommitByThemselvesWhenTold) {
  join("a", kManual);
  write_to("t", {"0"});
  read("a");
  pass(seconds(6));
  write_to("t", {"1"});
  read("a");
  ask("DELETE", path_of("a"));
  settle();
  make("b");
  EXPECT_EQ(committed("b"), R"({"offsets":[]})");
}

TEST_F(ConsumersTest, WithAnAssignmentCommitBesideNoGroup) {
  make("a", kManual);
  ask("POST", path_of("a", "/assignments"), R"({"partitions":[{"topic":"t","partition":1}]})");
  write_to("t", {"7"}, 1);
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":7,)"));
  expect(ask("POST", path_of("a", "/offsets")), 200, "[]");
  EXPECT_THAT(committed("a", R"({"topic":"t","partition":1})"), HasSubstr(R"("offset":1,)"));
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
