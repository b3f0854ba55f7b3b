#include <set>

#include "base/base64.h"
#include "disk/memory_disk.h"
#include "doors/kinesis/operations_fixture.h"
#include "log/embedded_log.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string split(OperationsDriver& kinesis, std::string_view shard, std::string_view at) {
  return kinesis.ask("SplitShard",
                     {{"StreamName", text("s")}, {"ShardToSplit", text(shard)}, {"NewStartingHashKey", text(at)}});
}
std::string merge(OperationsDriver& kinesis, std::string_view shard, std::string_view adjacent) {
  return kinesis.ask(
      "MergeShards",
      {{"StreamName", text("s")}, {"ShardToMerge", text(shard)}, {"AdjacentShardToMerge", text(adjacent)}});
}
std::string scale(OperationsDriver& kinesis, std::int64_t target) {
  return kinesis.ask(
      "UpdateShardCount",
      {{"StreamName", text("s")}, {"TargetShardCount", number(target)}, {"ScalingType", text("UNIFORM_SCALING")}});
}
std::string next_of(std::string_view body) {
  return between(body, "\"NextShardIterator\":\"", "\"");
}

TEST_F(KinesisTest, SplitsWhileRecordsKeepComing) {
  kinesis_->create("s", 1);
  EXPECT_EQ(split(*kinesis_, "x-0", "2"), "");
  const std::string during = kinesis_->describe("s");
  EXPECT_THAT(during, HasSubstr("UPDATING"));
  EXPECT_THAT(during, Not(HasSubstr("EndingSequenceNumber")));
  EXPECT_EQ(split(*kinesis_, "0", "2"),
            "ResourceInUseException 400: Stream s under account 000000000000 not ACTIVE, instead in state UPDATING");
  EXPECT_THAT(kinesis_->put("s", "a", "before"), HasSubstr("shardId-000000000000"));
  kinesis_->pass(500ms);
  const std::string after = kinesis_->describe("s");
  EXPECT_THAT(after, HasSubstr("ACTIVE"));
  const auto ended = parse_sequence_number(between(after, "EndingSequenceNumber\":\"", "\""));
  const auto child = parse_sequence_number(between(after, "StartingSequenceNumber\":\"", "\"", 1));
  EXPECT_EQ(ended->counter, kClosedCounter);
  EXPECT_EQ(child->created - ended->arrived, 1s);
  EXPECT_EQ(child->counter, 0);
  EXPECT_THAT(after,
              HasSubstr(R"({"ShardId":"shardId-000000000001","ParentShardId":"shardId-000000000000","HashKeyRange":)"
                        R"({"StartingHashKey":"0","EndingHashKey":"1"})"));
  EXPECT_THAT(kinesis_->put("s", "a", "behind"), HasSubstr("shardId-000000000002"));
  EXPECT_EQ(
      split(*kinesis_, "0", "9"),
      "InvalidArgumentException 400: Shard shardId-000000000000 in stream s under account 000000000000 has already "
      "been merged or split, and thus is not eligible for merging or splitting.");
}

// The rule of KCL: no next iterator and children, or a next iterator and none.
TEST_F(KinesisTest, EndsAClosedShardWithItsChildren) {
  kinesis_->create("s", 2);
  kinesis_->put("s", "a", "1");
  EXPECT_EQ(merge(*kinesis_, "0", "1"), "");
  const std::string open = kinesis_->get(kinesis_->iterator("s", "0"));
  EXPECT_NE(next_of(open), "");
  kinesis_->pass(500ms);
  const std::string first =
      kinesis_->ask("GetRecords", {{"ShardIterator", text(kinesis_->iterator("s", "0"))}, {"Limit", number(1)}});
  EXPECT_THAT(first, HasSubstr("\"Data\":\"MQ==\""));
  EXPECT_EQ(next_of(first), "");
  EXPECT_THAT(first,
              HasSubstr(R"("ChildShards":[{"ShardId":"shardId-000000000002","ParentShards":["shardId-000000000000",)"
                        R"("shardId-000000000001"],"HashKeyRange":{"StartingHashKey":"0","EndingHashKey":)"
                        R"("340282366920938463463374607431768211455"}}])"));
  EXPECT_THAT(kinesis_->get(next_of(open)), HasSubstr("ChildShards"));
  EXPECT_THAT(kinesis_->get(kinesis_->iterator("s", "0", "LATEST")), HasSubstr("ChildShards"));
  EXPECT_NE(next_of(kinesis_->get(kinesis_->iterator("s", "2"))), "");
}

// A record that was on its way when its shard was closed is read before the shard ends.
TEST_F(KinesisTest, DoesNotEndAShardWhileRecordsAreOnTheirWayIntoIt) {
  kinesis_->create("s", 1);
  log_.hold = true;
  auto put = kinesis_->send(
      "PutRecord", structure({{"StreamName", text("s")}, {"PartitionKey", text("a")}, {"Data", text("late")}}));
  log_.hold = false;
  split(*kinesis_, "0", "5");
  kinesis_->pass(500ms);
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr("EndingSequenceNumber"));
  const std::string waiting = kinesis_->get(kinesis_->iterator("s", "0"));
  EXPECT_NE(next_of(waiting), "");
  EXPECT_THAT(waiting, Not(HasSubstr("ChildShards")));
  log_.release();
  EXPECT_TRUE(put.get());
  EXPECT_THAT(kinesis_->get(next_of(waiting)), HasSubstr("ChildShards"));
}

TEST_F(KinesisTest, ScalesAsAwsDoes) {
  kinesis_->create("s", 4);
  EXPECT_EQ(scale(*kinesis_, 5), R"({"StreamName":"s","CurrentShardCount":4,"TargetShardCount":5,"StreamARN":)"
                                 R"("arn:aws:kinesis:us-east-1:000000000000:stream/s"})");
  kinesis_->pass(500ms);
  EXPECT_EQ(log_.topic("s")->partitions, 15);
  EXPECT_THAT(kinesis_->ask("DescribeStreamSummary", {{"StreamName", text("s")}}), HasSubstr("\"OpenShardCount\":5"));
  EXPECT_THAT(scale(*kinesis_, 11),
              HasSubstr("InvalidArgumentException 400: UpdateShardCount cannot scale up over double "
                        "your current open shard count. Current open shard count: 5 Target shard "
                        "count: 11"));
  EXPECT_THAT(scale(*kinesis_, 2), HasSubstr("down below half"));
  for (int i = 0; i < 9; ++i) {
    EXPECT_THAT(scale(*kinesis_, i % 2 == 0 ? 4 : 5), HasSubstr("CurrentShardCount")) << i;
    kinesis_->pass(500ms);
  }
  EXPECT_THAT(scale(*kinesis_, 5), HasSubstr("LimitExceededException"));
  clock_.advance(24h);
  EXPECT_THAT(scale(*kinesis_, 5), HasSubstr("CurrentShardCount"));
}

// The whole on a disk that loses power at any step.
class CrashingStream {
 public:
  explicit CrashingStream(disk::MemoryDisk& disk) : disk_(disk) { open(); }
  ~CrashingStream() { close(); }
  void open() {
    log::EmbeddedLogOptions options;
    options.folder = "/log";
    options.reserved_space = ByteCount(0);
    options.cleaning_period = 0ms;
    options.sync_threads = 1;
    auto opened = log::open_embedded_log(options, disk_, clock_, logger_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(*opened);
    kinesis_ = std::make_unique<OperationsDriver>(*log_, clock_);
  }
  void close() {
    kinesis_.reset();
    log_.reset();
  }
  OperationsDriver& kinesis() { return *kinesis_; }
  ManualClock& clock() { return clock_; }

  // Reads a shard to its end (or what is there); gives the data of its records in order.
  std::vector<std::string> read(const std::string& shard) {
    std::vector<std::string> all;
    std::string iterator = kinesis_->iterator("s", shard);
    for (int i = 0; i < 5 && !iterator.empty(); ++i) {
      const std::string body = kinesis_->get(iterator);
      EXPECT_THAT(body, HasSubstr("Records"));
      for (int k = 0;; ++k) {
        const std::string data = between(body, "\"Data\":\"", "\"", k);
        if (data.empty()) break;
        all.push_back(data);
      }
      const std::string next = next_of(body);
      EXPECT_EQ(next.empty(), body.contains("ChildShards")) << body;
      iterator = next;
    }
    return all;
  }

 private:
  disk::MemoryDisk& disk_;
  ManualClock clock_;
  NullLogger logger_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<OperationsDriver> kinesis_;
};

TEST(StreamCrash, AtAnyStepOfSplitAndMergeLeavesAConsistentStream) {
  bool finished = false;
  for (std::uint64_t step = 1; !finished; ++step) {
    SCOPED_TRACE(step);
    ASSERT_LT(step, 500U);
    disk::MemoryDisk disk;
    Random random(step);
    CrashingStream stream(disk);
    stream.kinesis().create("s", 1);
    std::set<std::string> promised;
    const auto put = [&](std::string_view data) {
      if (stream.kinesis().put("s", "a", data).contains("SequenceNumber")) promised.insert(base64_encode(data));
    };
    put("1");
    disk.lose_power_at(step);
    bool split_promised = split(stream.kinesis(), "0", "5").empty();
    put("2");
    stream.kinesis().pass(500ms);
    put("3");
    bool merge_promised = split_promised && merge(stream.kinesis(), "1", "2").empty();
    stream.kinesis().pass(500ms);
    put("4");
    finished = promised.size() == 4 && merge_promised;
    stream.close();
    disk.crash(random);
    stream.open();
    stream.kinesis().pass(500ms);  // What was promised is made.
    stream.kinesis().pass(1s);
    put("5");
    ASSERT_TRUE(promised.contains(base64_encode("5")));
    const std::string told = stream.kinesis().describe("s");
    EXPECT_THAT(told, HasSubstr("\"StreamStatus\":\"ACTIVE\""));
    if (split_promised) EXPECT_THAT(told, HasSubstr("shardId-000000000002"));
    if (merge_promised) EXPECT_THAT(told, HasSubstr("shardId-000000000003"));
    std::vector<std::string> all;
    for (const auto* const shard : {"0", "1", "2", "3"})
      if (told.contains(std::string("shardId-00000000000") + shard))
        std::ranges::copy(stream.read(shard), std::back_inserter(all));
    EXPECT_TRUE(std::ranges::is_sorted(all));
    for (const std::string& data : promised) EXPECT_THAT(all, testing::Contains(data));
  }
}

}  // namespace
}  // namespace pinflow::doors::kinesis
