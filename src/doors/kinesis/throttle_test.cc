#include "doors/kinesis/throttle.h"

#include <gtest/gtest.h>

#include "doors/kinesis/operations_fixture.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ThrottleTest : public testing::Test {
 protected:
  int writes(std::size_t bytes, int tries) {
    int good = 0;
    for (int i = 0; i < tries; ++i) good += throttle_.write(shard_, bytes) ? 1 : 0;
    return good;
  }
  ManualClock clock_;
  Throttle throttle_{clock_};
  Throttle::ShardKey shard_{{}, 0};
};

TEST_F(ThrottleTest, TakesAThousandRecordsASecond) {
  EXPECT_EQ(writes(1, 1500), 1000);
  clock_.advance(100ms);
  EXPECT_EQ(writes(1, 1500), 100);
  clock_.advance(10s);
  EXPECT_EQ(writes(1, 1500), 1000);
}

TEST_F(ThrottleTest, TakesAMebibyteASecond) {
  EXPECT_EQ(writes(1 << 20, 2), 1);
  clock_.advance(999ms);
  EXPECT_EQ(writes(1 << 20, 1), 0);
  clock_.advance(1ms);
  EXPECT_EQ(writes(1 << 18, 5), 4);
}

TEST_F(ThrottleTest, ShardsHaveLimitsOfTheirOwn) {
  EXPECT_EQ(writes(1 << 20, 2), 1);
  shard_.shard = 1;
  EXPECT_EQ(writes(1 << 20, 2), 1);
}

TEST_F(ThrottleTest, ALargeReadBlocksTheShardUntilItIsPaid) {
  EXPECT_TRUE(throttle_.begin_read(shard_));
  throttle_.end_read(shard_, 10 << 20);
  clock_.advance(4999ms);
  EXPECT_FALSE(throttle_.begin_read(shard_));
  clock_.advance(1ms);
  EXPECT_TRUE(throttle_.begin_read(shard_));
}

TEST_F(ThrottleTest, AllowsFiveReadsASecond) {
  int good = 0;
  for (int i = 0; i < 10; ++i) good += throttle_.begin_read(shard_) ? 1 : 0;
  EXPECT_EQ(good, 5);
  clock_.advance(200ms);
  EXPECT_TRUE(throttle_.begin_read(shard_));
  EXPECT_FALSE(throttle_.begin_read(shard_));
}

TEST_F(KinesisTest, LimitsAreSaidInAwsWords) {
  restart({.enforce_limits = true});
  kinesis_->create("s", 1);
  for (int i = 0; i < 1000; ++i) ASSERT_THAT(kinesis_->put("s", "k", "d"), HasSubstr("SequenceNumber"));
  EXPECT_EQ(
      kinesis_->put("s", "k", "d"),
      "ProvisionedThroughputExceededException 400: Rate exceeded for shard shardId-000000000000 in stream s under "
      "account 000000000000.");
  const std::string part = kinesis_->ask("PutRecords", {{"StreamName", text("s")}, {"Records", [] {
                                                                                      Value::List list;
                                                                                      list.push_back(record("k", "d"));
                                                                                      return Value(std::move(list));
                                                                                    }()}});
  EXPECT_THAT(part, HasSubstr(R"("FailedRecordCount":1)"));
  EXPECT_THAT(part,
              HasSubstr(R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded)"));
  for (int i = 0; i < 10; ++i) (void)kinesis_->describe("s");
  EXPECT_EQ(kinesis_->describe("s"),
            "LimitExceededException 400: Rate exceeded for stream s under account 000000000000.");
  for (int i = 0; i < 5; ++i) (void)kinesis_->get(kinesis_->iterator("s", "0"));
  EXPECT_EQ(kinesis_->iterator("s", "0"), "");
  clock_.advance(1s);
  EXPECT_NE(kinesis_->iterator("s", "0"), "");
}

}  // namespace
}  // namespace pinflow::doors::kinesis
