#include "sink/sink.h"

#include <latch>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"
#include "log/embedded_log.h"
#include "log/testing/memory_log.h"
#include "objects/folder_store.h"
#include "sink/testing/faults.h"
#include "sink/testing/memory_store.h"
#include "sink/testing/sunk.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;

const log::TopicPartition kPin{"pinterest.pin", log::PartitionId(0)};

class RunningSink : public ::testing::Test {
 protected:
  void append(int count) {
    for (int i = 0; i < count; ++i) log_.append(kPin.topic, 0, {fmt::format(R"({{"ind":{}}})", i)});
  }

  SinkOptions options_{.topics = {"pinterest.*"}, .rotate_interval = 1h, .discovery_interval = 1h};
  log::MemoryLog log_;
  testing::MemoryStore store_;
  SystemClock clock_;
  NullLogger logger_;
};

TEST_F(RunningSink, FlushPutsAllThatIsInTheLog) {
  ASSERT_TRUE(log_.create_topic({kPin.topic, 1, {}}));
  Sink sink(options_, log_, store_, clock_, logger_);
  for (int round = 1; round <= 3; ++round) {
    append(1'234);
    ASSERT_TRUE(sink.flush(30s, {}));
    EXPECT_EQ(testing::sunk_values(store_, kPin).size(), 1'234u * static_cast<unsigned>(round));
  }
  const SinkStatus status = sink.status();
  EXPECT_EQ(status.records, 3'702u);
  ASSERT_EQ(status.partitions.size(), 1u);
  EXPECT_EQ(status.partitions[0].lag, 0);
  EXPECT_EQ(status.partitions[0].next, log::Offset(3'702));
}

TEST_F(RunningSink, FlushSeesTopicsMadeJustBefore) {
  Sink sink(options_, log_, store_, clock_, logger_);
  ASSERT_TRUE(sink.flush(30s, {}));
  ASSERT_TRUE(log_.create_topic({kPin.topic, 1, {}}));
  append(5);
  ASSERT_TRUE(sink.flush(30s, {}));
  EXPECT_EQ(testing::sunk_values(store_, kPin).size(), 5u);
}

TEST_F(RunningSink, FlushTellsWhatHindersIt) {
  ASSERT_TRUE(log_.create_topic({kPin.topic, 1, {}}));
  append(5);
  testing::Fuse fuse;
  fuse.set(0, testing::Fuse::Burns::kBefore);
  testing::FusedStore away(store_, fuse);
  Sink sink(options_, log_, away, clock_, logger_);
  // On a busy machine the sink may not have tried yet.
  auto flushed = sink.flush(50ms, {});
  for (int i = 0; i < 200 && !flushed && flushed.error().message.find("fuse") == std::string::npos; ++i) {
    flushed = sink.flush(50ms, {});
  }
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(flushed.error().message.find("pinterest.pin/0 is at offset 0 of 5: "), std::string::npos)
      << flushed.error().message;
  EXPECT_NE(flushed.error().message.find("fuse"), std::string::npos) << flushed.error().message;
  EXPECT_EQ(sink.status().partitions.at(0).lag, 5);
  fuse.disarm();
  EXPECT_TRUE(sink.flush(30s, {}));
}

TEST_F(RunningSink, FlushCanBeStopped) {
  ASSERT_TRUE(log_.create_topic({kPin.topic, 1, {}}));
  append(5);
  testing::Fuse fuse;
  fuse.set(0, testing::Fuse::Burns::kBefore);
  testing::FusedStore away(store_, fuse);
  Sink sink(options_, log_, away, clock_, logger_);
  std::stop_source stop;
  stop.request_stop();
  const auto flushed = sink.flush(1h, stop.get_token());
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, ErrorCode::kCancelled);
}

TEST_F(RunningSink, GoesOnWithTheEmbeddedLogAndAFolderAfterARestart) {
  disk::MemoryDisk disk;
  const auto store = std::move(*objects::open_folder_store(disk, "/objects"));
  for (std::size_t round = 1; round <= 3; ++round) {
    const auto log = std::move(*log::open_embedded_log({.folder = "/log"}, disk, clock_, logger_));
    if (round == 1) {
      ASSERT_TRUE(log->create_topic({kPin.topic, 1, {}}));
    }
    Sink sink(options_, *log, *store, clock_, logger_);
    std::latch answered(30);
    for (int i = 0; i < 30; ++i) {
      log->produce(kPin.topic, kPin.partition, {{{}, fmt::format("{}", i), {}, {}}}, [&](const auto& results) {
        EXPECT_TRUE(results[0]);
        answered.count_down();
      });
    }
    answered.wait();
    const auto flushed = sink.flush(30s, {});
    ASSERT_TRUE(flushed) << flushed.error().message;
    EXPECT_EQ(testing::sunk_values(*store, kPin).size(), 30 * round);
    EXPECT_EQ(sink.status().records, 30u);
  }
}

TEST_F(RunningSink, SleepsWhenNothingComes) {
  ASSERT_TRUE(log_.create_topic({kPin.topic, 1, {}}));
  Sink sink(options_, log_, store_, clock_, logger_);
  ASSERT_TRUE(sink.flush(30s, {}));
  const auto before = log_.fetches();
  append(1);
  ASSERT_TRUE(sink.flush(30s, {}));
  EXPECT_LT(log_.fetches() - before, 10);
}

}  // namespace
}  // namespace pinflow::sink
