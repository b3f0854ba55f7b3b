#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/internal/request_table.h"
#include "log/log_fixture.h"
#include "log/partitioner.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class OnceOnly : public LogFixture {
 protected:
  static Record keyed(std::string key, std::string value) {
    return {std::move(key), std::move(value), {}, std::nullopt};
  }
  std::future<std::vector<Result<Appended>>> send_later(RequestMark mark, std::vector<Record> records,
                                                        std::vector<PartitionId> partitions = {}) {
    auto promise = std::make_shared<std::promise<std::vector<Result<Appended>>>>();
    log_->produce_once("a", mark, std::move(records), std::move(partitions),
                       [promise](std::vector<Result<Appended>> results) { promise->set_value(std::move(results)); });
    return promise->get_future();
  }
  static std::string told(const std::vector<Result<Appended>>& results) {
    std::string text;
    for (const auto& result : results) {
      if (!text.empty()) text += ", ";
      text += !result ? fmt::format("error {}", static_cast<int>(result.error().code))
                      : fmt::format("{}{}:{}", result->repeated ? "again " : "", result->partition, result->offset);
    }
    return text;
  }
  std::string send(RequestMark mark, std::vector<Record> records, std::vector<PartitionId> partitions = {}) {
    return told(send_later(mark, std::move(records), std::move(partitions)).get());
  }
  std::string error(ErrorCode code) { return fmt::format("error {}", static_cast<int>(code)); }
  std::size_t stored(std::int32_t partitions) {
    std::size_t count = 0;
    for (std::int32_t i = 0; i < partitions; ++i) count += read_all("a", PartitionId(i)).size();
    return count;
  }
};

TEST_F(OnceOnly, StoresARequestOnceHoweverOftenItComes) {
  reopen();
  create("a");
  EXPECT_EQ(send({1, 7}, {text("x"), text("y")}), "0:0, 0:1");
  EXPECT_EQ(send({2, 7}, {text("x"), text("y")}), "0:2, 0:3");
  EXPECT_EQ(send({1, 7}, {text("x"), text("y")}), "again 0:0, again 0:1");
  EXPECT_EQ(send({1, 8}, {text("x"), text("z")}), error(ErrorCode::kConflict) + ", " + error(ErrorCode::kConflict));
  EXPECT_THAT(values("a"), ElementsAre("x", "y", "x", "y"));
}

TEST_F(OnceOnly, KnowsTwinsOfOneCommit) {
  reopen();
  create("a", 4);
  std::vector<std::future<std::vector<Result<Appended>>>> answers;
  for (std::uint64_t i = 0; i < 50; ++i)
    for (int twin = 0; twin < 3; ++twin)
      answers.push_back(send_later({i, 1}, {keyed("k" + std::to_string(i), "x"), text("y"), keyed("k", "z")}));
  for (std::size_t i = 0; i < answers.size(); i += 3) {
    const std::string first = told(answers[i].get());
    EXPECT_EQ(first.find("again"), std::string::npos);
    for (std::size_t twin = 1; twin < 3; ++twin) {
      const auto results = answers[i + twin].get();
      for (const auto& result : results) EXPECT_TRUE(result && result->repeated);
      std::string text = told(results);
      for (std::size_t at; (at = text.find("again ")) != std::string::npos;) text.erase(at, 6);
      EXPECT_EQ(text, first);
    }
  }
  EXPECT_EQ(stored(4), 150u);
}

TEST_F(OnceOnly, RefusesOtherContentEvenWhereItGoesToAnotherPartition) {
  reopen();
  create("a", 2);
  EXPECT_EQ(send({1, 7}, {text("x")}, {PartitionId(0)}), "0:0");
  EXPECT_EQ(send({1, 8}, {text("x")}, {PartitionId(1)}), error(ErrorCode::kConflict));
  EXPECT_EQ(stored(2), 1u);
  // Also of one commit.
  auto first = send_later({2, 7}, {text("x")}, {PartitionId(0)});
  auto second = send_later({2, 8}, {text("x")}, {PartitionId(1)});
  EXPECT_EQ(told(first.get()), "0:1");
  EXPECT_EQ(told(second.get()), error(ErrorCode::kConflict));
}

TEST_F(OnceOnly, FindsTheFirstPlacesAfterPartitionsWereAdded) {
  reopen();
  create("a", 2);
  std::vector<std::string> first;
  const auto records = [](std::uint64_t i) {
    return std::vector<Record>{keyed(fmt::format("key {}", i), "x"), text("y"), keyed(fmt::format("other {}", i), "z")};
  };
  for (std::uint64_t i = 0; i < 30; ++i) first.push_back(send({i * 0x9e3779b97f4a7c15U, 1}, records(i)));
  ASSERT_TRUE(log_->add_partitions("a", 7));
  reopen();
  for (std::uint64_t i = 0; i < 30; ++i) {
    std::string text = send({i * 0x9e3779b97f4a7c15U, 1}, records(i));
    for (std::size_t at; (at = text.find("again ")) != std::string::npos;) text.erase(at, 6);
    EXPECT_EQ(text, first[i]);
  }
  EXPECT_EQ(stored(7), 90u);
}

TEST_F(OnceOnly, CompletesWhatWasStoredInPart) {
  reopen();
  create("a", 2);
  disk_.fail_sync(partition_folder("a", 1) / "00000000000000000000.log");
  const std::vector<PartitionId> both = {PartitionId(0), PartitionId(1), PartitionId(0)};
  EXPECT_EQ(send({1, 7}, {text("x"), text("y"), text("z")}, both),
            "0:0, " + error(ErrorCode::kUnknownOutcome) + ", 0:1");
  EXPECT_EQ(send({1, 7}, {text("x"), text("y"), text("z")}, both),
            "again 0:0, " + error(ErrorCode::kUnavailable) + ", again 0:1");
  Random random(3);
  crash(random);
  reopen();
  const std::string told = send({1, 7}, {text("x"), text("y"), text("z")}, both);
  EXPECT_THAT(told, testing::AnyOf("again 0:0, 1:0, again 0:1", "again 0:0, again 1:0, again 0:1"));
  EXPECT_EQ(stored(2), 3u);
}

TEST_F(OnceOnly, StoresAnewWhatTheDiskRefused) {
  reopen();
  create("a");
  EXPECT_EQ(send({9, 7}, {text("before")}), "0:0");
  disk_.fail_nth(disk::Operation::kAppend, 1, ErrorCode::kUnavailable);
  EXPECT_EQ(send({1, 7}, {text("x")}), error(ErrorCode::kUnavailable));
  EXPECT_EQ(send({1, 8}, {text("other")}), "0:1");  // Nothing was stored under this mark.
  EXPECT_EQ(send({9, 7}, {text("before")}), "again 0:0");
}

TEST_F(OnceOnly, RefusesPartitionsThatAreNotThereAndRecordsTooLargeAlone) {
  options_.max_record_size = ByteCount(100);
  reopen();
  create("a");
  for (const char* again : {"", "again "}) {
    EXPECT_EQ(
        send({1, 7}, {text("x"), text(std::string(101, 'x')), text("y"), text("z")},
             {PartitionId(0), PartitionId(0), PartitionId(1), kAnyPartition}),
        fmt::format("{}0:0, {}, {}, {}0:1", again, error(ErrorCode::kInvalid), error(ErrorCode::kNotFound), again));
  }
}

TEST_F(OnceOnly, KnowsRequestsAfterARollAndARestart) {
  options_.topic_defaults.segment_bytes = 300;
  reopen();
  create("a");
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_EQ(send({i, 1}, {text("x")}), fmt::format("0:{}", i));
  disk::Path snapshot;
  for (const disk::Entry& entry : *disk_.list(partition_folder("a")))
    if (entry.name.ends_with(".producers")) snapshot = partition_folder("a") / entry.name;
  const auto expect_known = [&] {
    Random random(1);
    crash(random);
    reopen();
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_EQ(send({i, 1}, {text("x")}), fmt::format("again 0:{}", i));
    EXPECT_EQ(values("a").size(), 20u);
  };
  expect_known();
  disk_.flip_byte(snapshot, size_of(snapshot) / 2);  // Built again.
  expect_known();
  log_.reset();
  EXPECT_TRUE(disk_.remove(snapshot));
  reopen();
  expect_known();
}

TEST_F(OnceOnly, ForgetsAfterTheWindow) {
  options_.request_window = 1h;
  options_.topic_defaults.segment_bytes = 100;  // Every request begins a segment, so the time is in the file beside.
  reopen();
  create("a");
  EXPECT_EQ(send({1, 7}, {text("x")}), "0:0");
  clock_.advance(40min);
  EXPECT_EQ(send({2, 7}, {text("x")}), "0:1");
  EXPECT_EQ(send({1, 7}, {text("x")}), "again 0:0");
  reopen();
  clock_.advance(21min);
  EXPECT_EQ(send({2, 7}, {text("x")}), "again 0:1");
  EXPECT_EQ(send({1, 8}, {text("y")}), "0:2");
}

TEST_F(OnceOnly, ForgetsTheOldestOfAllPartitionsWhenThereAreTooMany) {
  options_.request_capacity = 10;
  options_.topic_defaults.segment_bytes = 600;
  reopen();
  create("a", 2);
  for (std::uint64_t i = 0; i < 30; ++i) {
    ASSERT_EQ(send({i, 1}, {text("x")}, {PartitionId(i % 2)}), fmt::format("{}:{}", i % 2, i / 2));
    clock_.advance(1ms);
  }
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 20; i < 30; ++i)
      EXPECT_EQ(send({i, 1}, {text("x")}, {PartitionId(i % 2)}), fmt::format("again {}:{}", i % 2, i / 2));
    reopen();
  }
  EXPECT_EQ(stored(2), 30u);
  EXPECT_EQ(send({3, 1}, {text("x")}, {PartitionId(1)}), "1:15");
}

TEST_F(OnceOnly, MakesOneBatchOfWhatAPartitionGets) {
  reopen();
  create("a");
  std::vector<Record> large;
  for (int i = 0; i < 5; ++i) large.push_back(text(std::string(200 << 10, 'x')));
  EXPECT_EQ(send({1, 7}, large), "0:0, 0:1, 0:2, 0:3, 0:4");
  const auto header = check_batch(log_->read_batches({"a", PartitionId(0)}, Offset(0), 1, true)->bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->record_count, 5);
}

TEST_F(OnceOnly, TakesNoBatchFromTheWireUnderTheIdOfARequest) {
  reopen();
  create("a");
  const auto result = append("a", batch_of({"x"}, {kRequestBit + 1, 0, 0}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().fault, BatchFault::kInvalidRecord);
}

TEST_F(OnceOnly, LeavesProducersOfTheKafkaProtocolAlone) {
  options_.request_capacity = 10;
  options_.topic_defaults.segment_bytes = 400;
  reopen();
  create("a");
  EXPECT_TRUE(append("a", batch_of({"x"}, {5, 0, 0})));
  for (std::uint64_t i = 0; i < 100; ++i) send({i, 1}, {text("x")});
  reopen();
  const auto again = append("a", batch_of({"x"}, {5, 0, 0}));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->duplicate);
}

TEST(RequestTable, UndoesWhatWasNotKept) {
  RequestTable table(1h, 100);
  const WallTime now(1000ms);
  const auto a = table.new_slot();
  const auto b = table.new_slot();
  table.add({1, 7, 2, 1, Offset(0), now}, a);
  table.keep(now);
  table.add({1, 7, 2, 1, Offset(5), now}, b);
  table.add({2, 7, 2, 1, Offset(6), now}, b);
  EXPECT_TRUE(table.find(1, b, now));
  EXPECT_TRUE(table.of_slot(b, now).empty());
  table.undo();
  EXPECT_FALSE(table.find(1, b, now));
  EXPECT_FALSE(table.find(2, now));
  EXPECT_EQ(table.find(1, a, now)->base_offset, Offset(0));
  EXPECT_EQ(table.of_slot(a, now).size(), 1u);
  EXPECT_FALSE(table.find(1, now + 2h));
}

}  // namespace
}  // namespace pinflow::log
