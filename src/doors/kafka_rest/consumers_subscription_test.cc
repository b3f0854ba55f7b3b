#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kafka_rest/consumers.h"
#include "doors/kafka_rest/consumers_fixture.h"

namespace pinflow::doors::kafka_rest {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ConsumersTest, SubscribeToTopics) {
  make("a");
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":[]})");
  EXPECT_EQ(subscribe("a", R"("t","later")").status, 204);
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t","later"]})");
  pass(seconds(1));
  expect(ask("GET", path_of("a", "/assignments")), 200,
         R"({"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":1}]})");
  create("later");
  pass(seconds(2));
  EXPECT_EQ(
      assignments("a"),
      R"({"partitions":[{"topic":"later","partition":0},{"topic":"t","partition":0},{"topic":"t","partition":1}]})");
  expect(ask("DELETE", path_of("a", "/subscription")), 204, "");
  EXPECT_EQ(assignments("a"), R"({"partitions":[]})");
  EXPECT_TRUE(coordinator_->describe("g").members.empty());
}

TEST_F(ConsumersTest, GetPartitionsThatAreAdded) {
  join("a");
  ASSERT_TRUE(log_->add_partitions("t", 3));
  pass(seconds(2));
  EXPECT_EQ(assignments("a"),
            R"({"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":1},{"topic":"t","partition":2}]})");
}

TEST_F(ConsumersTest, FollowAPattern) {
  make("a");
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"t[0-9]*"})").status, 204);
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t"]})");
  create("t7");
  create("xt7");
  pass(seconds(3));
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t","t7"]})");
  write_to("t7", {"1"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("topic":"t7")"));
  const auto bad = ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"(a"})");
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, HasSubstr("missing ): (a"));
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"(a)\\1"})").status, 422);
}

TEST_F(ConsumersTest, ChooseOneWay) {
  constexpr std::string_view kOneWay =
      "Illegal state: Subscription to topics, partitions and pattern are mutually exclusive";
  make("a");
  subscribe("a");
  expect_refused(ask("POST", path_of("a", "/assignments"), R"({"partitions":[{"topic":"t","partition":0}]})"), 409,
                 40903, kOneWay);
  expect_refused(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"t"})"), 409, 40903, kOneWay);
  make("b");
  EXPECT_EQ(ask("POST", path_of("b", "/assignments"), R"({"partitions":[{"topic":"t","partition":1}]})").status, 204);
  EXPECT_EQ(assignments("b"), R"({"partitions":[{"topic":"t","partition":1}]})");
  expect_refused(subscribe("b"), 409, 40903, kOneWay);
  make("c");
  EXPECT_EQ(ask("POST", path_of("c", "/subscription"), R"({"topics":["t"],"topic_pattern":"x"})").status, 204);
  EXPECT_EQ(ask("GET", path_of("c", "/subscription")).body, R"({"topics":["t"]})");
}

TEST_F(ConsumersTest, RefuseBodiesThatSayNothing) {
  make("a");
  const auto refused = [&](std::string_view below, std::string body) {
    return ask("POST", path_of("a", below), std::move(body));
  };
  for (const auto* const below :
       {"/subscription", "/assignments", "/positions", "/positions/beginning", "/positions/end"}) {
    expect_refused(refused(below, ""), 422, 422, "Null input provided. Data is required.");
  }
  EXPECT_EQ(refused("/subscription", "{}").status, 422);
  EXPECT_EQ(refused("/assignments", "{}").status, 422);
  EXPECT_EQ(refused("/positions", "{}").status, 422);
  EXPECT_EQ(refused("/positions", R"({"offsets":[{"topic":"t","partition":0}]})").status, 422);
  EXPECT_EQ(refused("/positions", R"({"offsets":[{"topic":"t","partition":0,"offset":-1}]})").status, 422);
  EXPECT_EQ(refused("/positions", R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"noon"}]})").status, 422);
  EXPECT_EQ(refused("/assignments", R"({"partitions":[{"topic":"t"}]})").status, 422);
  EXPECT_EQ(refused("/assignments", R"({"partitions":[{"topic":"t","partition":"0"}]})").status, 400);
  EXPECT_EQ(refused("/subscription", R"({"topics":"t"})").status, 400);
  EXPECT_EQ(refused("/subscription", R"({"topic_pattern":5})").status, 400);
  EXPECT_EQ(refused("/subscription", R"({"topics":["a b"]})").body.substr(0, 20), R"({"error_code":40002,)");
  expect_refused(refused("/positions/end", R"({"partitions":[{"topic":"t","partition":0}]})"), 409, 40903,
                 "Illegal state: No current assignment for partition t-0");
  expect_refused(read("a"), 409, 40903,
                 "Illegal state: Consumer is not subscribed to any topics or assigned any partitions");
}

// ---- Groups.

TEST_F(ConsumersTest, OfAGroupShareThePartitions) {
  join("a");
  EXPECT_THAT(assignments("a"), HasSubstr(R"("partition":1)"));
  join("b");
  pass(seconds(2));
  EXPECT_EQ(assignments("a").size(), assignments("b").size());
  EXPECT_NE(assignments("a"), assignments("b"));
  write_to("t", {"0"}, 0);
  write_to("t", {"1"}, 1);
  const auto first = read("a").body;
  const auto second = read("b").body;
  EXPECT_EQ(std::ranges::count(first + second, '{'), 2);
  EXPECT_NE(first, second);
}

TEST_F(ConsumersTest, TakeOverFromOneThatDies) {
  join("a", kManual);
  join("b", kManual);
  pass(seconds(2));
  write_to("t", {"0"}, 0);
  write_to("t", {"1"}, 1);
  EXPECT_EQ(std::ranges::count(read("a").body, '{'), 1);
  EXPECT_EQ(ask("DELETE", path_of("a")).status, 204);
  pass(seconds(2));
  // What the other had read and not committed comes again.
  std::string all = read("b").body;
  all += read_nothing("b");
  EXPECT_THAT(all, HasSubstr(R"("value":0,)"));
  EXPECT_THAT(all, HasSubstr(R"("value":1,)"));
}

TEST_F(ConsumersTest, KeepAReadWaitingThroughARebalance) {
  join("a", R"("format":"json","auto.offset.reset":"earliest","consumer.request.timeout.ms":20000)");
  auto waiting = begin_read("a");
  join("b");
  pass(seconds(2));
  EXPECT_EQ(waiting.wait_for(seconds(0)), std::future_status::timeout);
  const bool first = assignments("a").find(R"("partition":0)") != std::string::npos;
  write_to("t", {"7"}, first ? 0 : 1);
  EXPECT_THAT(answer_of(std::move(waiting)).body, HasSubstr(R"("value":7,)"));
}

TEST_F(ConsumersTest, GoOnAfterTheGroupThrewThemOut) {
  join("a", kManual);
  const auto member = coordinator_->describe("g").members.at(0).member_id;
  EXPECT_EQ(coordinator_->leave({"g", {{member, std::nullopt}}}).error, groups::GroupError::kNone);
  const auto fenced = ask("POST", path_of("a", "/offsets"), R"({"offsets":[{"topic":"t","partition":0,"offset":4}]})");
  EXPECT_EQ(fenced.status, 500);
  EXPECT_THAT(fenced.body, StartsWith(R"({"error_code":50002,"message":"Kafka error: The group has gone on)"));
  pass(seconds(3));
  write_to("t", {"5"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":5,)"));
}

TEST_F(ConsumersTest, LeaveTheirGroupsWhenTheDoorCloses) {
  join("a");
  EXPECT_EQ(coordinator_->describe("g").members.size(), 1U);
  consumers_.reset();
  EXPECT_TRUE(coordinator_->describe("g").members.empty());
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
