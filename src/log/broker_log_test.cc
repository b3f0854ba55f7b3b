#include "log/broker_log.h"

#include <atomic>
#include <semaphore>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/internal/bytes.h"
#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const TopicPartition kA0{"a", PartitionId(0)};

class BrokerLogTest : public LogFixture {
 protected:
  static BatchFault fault(const BatchResult& result) {
    EXPECT_FALSE(result);
    return result ? BatchFault::kStorage : result.error().fault;
  }
  // The batches in the bytes of a read, each checked.
  static std::vector<BatchHeader> headers_in(std::string_view bytes) {
    std::vector<BatchHeader> headers;
    while (!bytes.empty()) {
      const auto header = check_batch(bytes);
      EXPECT_TRUE(header) << header.error().message;
      if (!header) break;
      headers.push_back(*header);
      bytes.remove_prefix(header->size);
    }
    return headers;
  }
  BatchRead read(std::int64_t from, std::size_t max_bytes = 1 << 20, bool first_whole = true) {
    auto read = log_->read_batches(kA0, Offset(from), max_bytes, first_whole);
    EXPECT_TRUE(read) << read.error().message;
    return read.value_or(BatchRead{});
  }
};

TEST_F(BrokerLogTest, FindsATopicByItsId) {
  reopen();
  create("a");
  const Uuid first = log_->topic("a")->id;
  EXPECT_EQ(log_->topic_by_id(first)->name, "a");
  ASSERT_TRUE(log_->delete_topic("a"));
  create("a");
  EXPECT_EQ(log_->topic_by_id(first).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log_->topic_by_id(log_->topic("a")->id)->name, "a");
}

TEST_F(BrokerLogTest, StoresABatchAsItCame) {
  reopen();
  create("a");
  const std::string batch = batch_of({"x", "y"}, {7, 0, 0});
  const auto first = append("a", batch);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->base_offset, Offset(0));
  EXPECT_FALSE(first->duplicate);
  EXPECT_EQ(append("a", batch_of({"z"}))->base_offset, Offset(2));
  EXPECT_THAT(values("a"), ElementsAre("x", "y", "z"));
  for (int round = 0; round < 2; ++round) {
    const BatchRead all = read(0);
    EXPECT_EQ(all.bytes.substr(16, batch.size() - 16), batch.substr(16));  // But for offset and epoch.
    const auto headers = headers_in(all.bytes);
    ASSERT_EQ(headers.size(), 2u);
    EXPECT_EQ(headers[1].base_offset, Offset(2));
    EXPECT_EQ(headers[1].leader_epoch, *log_->leader_epoch(kA0));
    EXPECT_EQ(all.range.begin, Offset(0));
    EXPECT_EQ(all.range.end, Offset(3));
    reopen();
  }
}

TEST_F(BrokerLogTest, RefusesWhatIsNoBatch) {
  reopen();
  create("a");
  const std::string good = batch_of({"x", "y"});
  EXPECT_EQ(fault(append("b", good)), BatchFault::kUnknownTopicOrPartition);
  EXPECT_EQ(fault(append("a", good, PartitionId(1))), BatchFault::kUnknownTopicOrPartition);
  EXPECT_EQ(fault(append("a", "")), BatchFault::kCorruptMessage);
  EXPECT_EQ(fault(append("a", good + good)), BatchFault::kInvalidRecord);
  EXPECT_EQ(fault(append("a", good.substr(0, good.size() - 1))), BatchFault::kCorruptMessage);
  for (std::size_t i = 21; i < good.size(); ++i) {
    std::string flipped = good;
    flipped[i] = static_cast<char>(~flipped[i]);
    EXPECT_FALSE(append("a", flipped)) << i;
  }
  std::string old = good;
  old[16] = 1;
  EXPECT_EQ(fault(append("a", old)), BatchFault::kUnsupportedMessageFormat);
  EXPECT_EQ(fault(append("a", batch_of({"x"}, {5, 0, -1}))), BatchFault::kInvalidRecord);
  EXPECT_TRUE(values("a").empty());
  EXPECT_EQ(append("a", good)->base_offset, Offset(0));
}

TEST_F(BrokerLogTest, KeepsTheOrderOfBatchesAndRecordsOfOneCaller) {
  reopen();
  create("a");
  std::vector<std::future<BatchResult>> answers;
  for (int i = 0; i < 200; ++i) answers.push_back(append_later("a", batch_of({std::to_string(i)})));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)].get()->base_offset, Offset(i));
  const auto all = values("a");
  ASSERT_EQ(all.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_F(BrokerLogTest, BoundsTheBatchesThatWait) {
  options_.max_pending = ByteCount(10'000);
  reopen();
  create("a");
  EXPECT_EQ(fault(append("a", batch_of({std::string(20'000, 'x')}))), BatchFault::kMessageTooLarge);
  // The committer is held in the callback of the first, so the others have to wait.
  std::binary_semaphore held(0);
  std::binary_semaphore go(0);
  const std::string first = batch_of({"x"});
  log_->append_batch({kA0, first, nullptr}, [&](const BatchResult&) {
    held.release();
    go.acquire();
  });
  held.acquire();
  auto waits = append_later("a", batch_of({std::string(6'000, 'x')}));
  EXPECT_EQ(fault(append("a", batch_of({std::string(6'000, 'y')}))), BatchFault::kOverloaded);
  go.release();
  EXPECT_TRUE(waits.get());
  EXPECT_TRUE(append("a", batch_of({std::string(6'000, 'z')})));
}

TEST_F(BrokerLogTest, FreesTheBytesWithTheAnswer) {
  reopen();
  create("a");
  auto bytes = std::make_shared<std::string>(batch_of({"x"}));
  const std::weak_ptr<std::string> watched = bytes;
  std::promise<bool> freed;
  log_->append_batch({kA0, *bytes, std::move(bytes)}, [&](const BatchResult&) { freed.set_value(watched.expired()); });
  EXPECT_TRUE(freed.get_future().get());
}

TEST_F(BrokerLogTest, TellsWhyAPartitionTakesNothing) {
  reopen();
  create("a");
  ASSERT_TRUE(append("a", batch_of({"x"})));
  disk_.fail_sync(segments("a").back());
  EXPECT_EQ(fault(append("a", batch_of({"y"}))), BatchFault::kUnknownOutcome);
  EXPECT_EQ(fault(append("a", batch_of({"z"}))), BatchFault::kStorage);
  EXPECT_EQ(headers_in(read(0).bytes).size(), 1u);
}

TEST_F(BrokerLogTest, ReadsWholeBatchesFromWithinOne) {
  options_.topic_defaults.segment_bytes = 400;
  reopen();
  create("a");
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 8; ++i) {
    const std::string batch = batch_of({std::string(50, 'x'), "y", "z"});
    sizes.push_back(batch.size());
    ASSERT_TRUE(append("a", batch));
  }
  ASSERT_GT(segments("a").size(), 2u);
  for (std::int64_t from = 0; from < 24; ++from) {
    const auto headers = headers_in(read(from).bytes);
    ASSERT_EQ(std::ssize(headers), 8 - from / 3);
    EXPECT_EQ(headers[0].base_offset, Offset(from / 3 * 3));
  }
  const std::size_t size = sizes[0];
  EXPECT_TRUE(read(24).bytes.empty());
  EXPECT_EQ(log_->read_batches(kA0, Offset(25), 1, true).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->read_batches(kA0, Offset(-1), 1, true).error().code, ErrorCode::kInvalid);
  for (std::size_t bytes = 0; bytes < 6 * size; ++bytes) {
    EXPECT_EQ(read(4, bytes, false).bytes.size(), bytes / size * size) << bytes;
    EXPECT_EQ(read(4, bytes, true).bytes.size(), std::max(bytes / size, std::size_t{1}) * size) << bytes;
  }
}

TEST_F(BrokerLogTest, NeverReadsDamagedBatches) {
  reopen();
  create("a");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append("a", batch_of({"value"})));
  const disk::Path segment = segments("a").back();
  const std::size_t size = size_of(segment) / 3;
  for (std::size_t position = size; position < 2 * size; ++position) {
    if (position >= size + 12 && position < size + 16) continue;  // The epoch, which is stamped anew.
    disk_.flip_byte(segment, position);
    EXPECT_EQ(read(0).bytes.size(), size) << position;
    const auto damaged = log_->read_batches(kA0, Offset(1), 1 << 20, true);
    ASSERT_FALSE(damaged) << position;
    EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(damaged.error().message, HasSubstr("a-0: offset 1 cannot be read"));
    disk_.flip_byte(segment, position);
  }
}

TEST_F(BrokerLogTest, WatchesForTheFirstRecordOfAnyPartition) {
  reopen();
  create("a", 2);
  create("b");
  std::atomic<int> ready = 0;
  const std::vector<FetchPosition> positions = {{{"a", PartitionId(0)}, Offset(0)}, {{"a", PartitionId(1)}, Offset(0)}};
  auto watch = log_->watch(positions, [&] { ++ready; });
  ASSERT_TRUE(append("b", batch_of({"x"})));
  EXPECT_EQ(ready, 0);
  ASSERT_TRUE(append("a", batch_of({"x"}), PartitionId(1)));  // Readers are woken before the producer is answered.
  EXPECT_EQ(ready, 1);
  ASSERT_TRUE(append("a", batch_of({"x"}), PartitionId(0)));
  EXPECT_EQ(ready, 1);
  watch = log_->watch(positions, [&] { ++ready; });  // Within the call.
  EXPECT_EQ(ready, 2);
  watch = log_->watch({{{{"a", PartitionId(0)}, Offset(2)}}}, [&] { ++ready; });
  ASSERT_TRUE(append("a", batch_of({"of offset 1"}), PartitionId(0)));
  EXPECT_EQ(ready, 2);
  watch.reset();
  ASSERT_TRUE(append("a", batch_of({"of offset 2"}), PartitionId(0)));
  EXPECT_EQ(ready, 2);
}

TEST_F(BrokerLogTest, WatchesForTheEndOfATopic) {
  reopen();
  create("a");
  std::atomic<int> ready = 0;
  const std::vector<FetchPosition> positions = {{kA0, Offset(0)}};
  const auto watch = log_->watch(positions, [&] { ++ready; });
  ASSERT_TRUE(log_->delete_topic("a"));
  EXPECT_EQ(ready, 1);
  const auto late = log_->watch(positions, [&] { ++ready; });
  EXPECT_EQ(ready, 2);
}

TEST_F(BrokerLogTest, WithdrawsAWatchFromWithinItself) {
  reopen();
  create("a");
  std::binary_semaphore done(0);
  std::unique_ptr<Watch> watch;
  const std::vector<FetchPosition> positions = {{kA0, Offset(0)}};
  watch = log_->watch(positions, [&] {
    watch.reset();
    done.release();
  });
  ASSERT_TRUE(append("a", batch_of({"x"})));
  done.acquire();
  EXPECT_EQ(watch, nullptr);
}

TEST_F(BrokerLogTest, LosesNoWakeUpAndCallsNobodyWhoWithdrew) {
  reopen();
  create("a");
  std::atomic<std::int64_t> end = 0;
  std::jthread writer([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      if (append("a", batch_of({"x"}))) ++end;
    }
  });
  for (int round = 0; round < 300; ++round) {
    const std::vector<FetchPosition> positions = {{kA0, log_->offsets(kA0)->end}};
    std::binary_semaphore ready(0);
    const auto watch = log_->watch(positions, [&] { ready.release(); });
    if (round % 3 == 0) continue;  // Withdrawn at once, with its semaphore.
    ready.acquire();
  }
}

}  // namespace
}  // namespace pinflow::log
