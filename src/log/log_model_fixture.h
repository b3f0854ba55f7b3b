#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/compression.h"
#include "log/crc32c.h"
#include "log/internal/bytes.h"
#include "log/log_fixture.h"

namespace pinflow::log {

// What clients did to a topic of several partitions and were told, held against what the log shows after each restart: what was
// acknowledged is there, in order, once, without gaps; what was refused is not; a batch that is sent again is never stored twice.
// Clients are record producers, those who send requests that are to be stored once, idempotent producers of plain and compressed batches that send again until they are answered,
// those who delete records, and a consumer group. For tests.
class LogModel : public LogFixture {
 protected:
  static constexpr std::int32_t kPartitions = 2;
  static constexpr std::size_t kProducers = 2;  // Of each partition.

  // A topic and clients without a past.
  void begin(Random& random) {
    log_.reset();
    disk_.clear_faults();
    ASSERT_TRUE(disk_.remove_tree("/log"));
    partitions_ = {};
    requests_.clear();
    committing_ = committed_ = 0;
    reopen();
    create("a", kPartitions);
    for (Partition& partition : partitions_)
      for (Producer& producer : partition.producers) producer.id = static_cast<std::int64_t>(random.below(1'000'000));
  }

  void run(Random& random, int steps) {
    for (int step = 0; step < steps; ++step) {
      const auto index = static_cast<std::int32_t>(random.below(kPartitions));
      const std::uint64_t what = random.below(100);
      if (what < 10) {
        commit_position();
      } else if (what < 16) {
        delete_records(random, index);
      } else if (what < 22) {
        clock_.advance(std::chrono::milliseconds(1'000));
      } else if (what < 45) {
        send_records(random, index);
      } else if (what < 60) {
        send_requests(random);
      } else {
        send_batches(random, index);
      }
    }
  }

  void verify() {
    EXPECT_THAT(log_->recovery().damage, testing::IsEmpty());
    for (std::int32_t index = 0; index < kPartitions; ++index) verify_partition(index);
    const auto position = *log_->committed_offsets("g");
    const std::int64_t read = position.empty() ? 0 : position.front().offset.value();
    EXPECT_GE(read, committed_);
    EXPECT_LE(read, committing_);
  }

 private:
  enum class Outcome { kRefused, kUnknown, kAcknowledged };
  struct Sent {
    Outcome outcome = Outcome::kRefused;
    std::int64_t offset = -1;
  };
  struct Batch {
    std::vector<std::string> values;
    std::string bytes;
  };
  // Sends its batches in order, and again from the first that was not acknowledged.
  struct Producer {
    std::int64_t id = 0;
    std::int32_t next_sequence = 0;
    bool known = false;  // The log has one of its batches; before that, it would take any sequence.
    std::deque<Batch> waiting;
  };
  struct Request {
    RequestMark mark;
    std::vector<std::string> values;
    std::vector<PartitionId> partitions;
  };
  struct Partition {
    std::map<std::string, Sent> sent;
    std::array<Producer, kProducers> producers;
    std::int64_t start_known = 0;    // The log start of the last success.
    std::int64_t start_attempt = 0;  // The greatest that was asked for.
  };

  std::string fresh_value(Random& random) {
    // Mostly small; large ones make commits of several batches.
    const std::size_t size = random.chance(0.02) ? 150'000 + random.below(100'000) : random.below(600);
    return fmt::format("{}:{}", ++values_, std::string(size, 'v'));
  }

  void note(Sent& sent, std::int64_t offset) {
    if (sent.outcome == Outcome::kAcknowledged) EXPECT_EQ(sent.offset, offset) << "acknowledged at another offset";
    sent = {Outcome::kAcknowledged, offset};
  }

  void send_records(Random& random, std::int32_t index) {
    std::vector<std::pair<std::vector<std::string>, std::future<std::vector<Result<Appended>>>>> calls;
    for (std::uint64_t call = 0; call <= random.below(3); ++call) {
      std::vector<std::string> values;
      std::vector<Record> records;
      for (std::uint64_t i = 0; i <= random.below(4); ++i) {
        values.push_back(fresh_value(random));
        records.push_back(text(values.back()));
      }
      calls.emplace_back(std::move(values), produce_later("a", std::move(records), PartitionId(index)));
    }
    auto& all = partitions_[static_cast<std::size_t>(index)].sent;
    for (auto& [values, future] : calls) {
      const auto results = future.get();
      for (std::size_t i = 0; i < values.size(); ++i) {
        Sent& sent = all[values[i]];
        if (results[i]) {
          note(sent, results[i]->offset.value());
        } else if (results[i].error().code == ErrorCode::kUnknownOutcome) {
          sent.outcome = Outcome::kUnknown;
        } else {
          EXPECT_EQ(results[i].error().code, ErrorCode::kUnavailable) << results[i].error().message;
        }
      }
    }
  }

  // All that wait, some of them twice at once; again until all records of a request are acknowledged, and now and then after that.
  void send_requests(Random& random) {
    while (requests_.size() < 1 + random.below(3)) {
      Request& request = requests_.emplace_back();
      request.mark = {random(), static_cast<std::uint32_t>(random())};
      for (std::uint64_t i = 0; i <= random.below(4); ++i) {
        request.values.push_back(fresh_value(random));
        request.partitions.emplace_back(static_cast<std::int32_t>(random.below(kPartitions)));
      }
    }
    std::vector<std::pair<Request*, std::future<std::vector<Result<Appended>>>>> calls;
    for (Request& request : requests_)
      for (std::uint64_t twin = 0; twin <= random.below(2); ++twin) calls.emplace_back(&request, send_once(request));
    std::set<const Request*> done;
    for (auto& [request, future] : calls)
      if (note_once(*request, future.get()) && !random.chance(0.2)) done.insert(request);
    std::erase_if(requests_, [&](const Request& request) { return done.contains(&request); });
  }

  std::future<std::vector<Result<Appended>>> send_once(const Request& request) {
    std::vector<Record> records;
    for (const std::string& value : request.values) records.push_back(text(value));
    auto promise = std::make_shared<std::promise<std::vector<Result<Appended>>>>();
    log_->produce_once("a", request.mark, std::move(records), request.partitions,
                       [promise](std::vector<Result<Appended>> results) { promise->set_value(std::move(results)); });
    return promise->get_future();
  }

  // True if all of it is acknowledged.
  bool note_once(const Request& request, const std::vector<Result<Appended>>& results) {
    bool all = true;
    for (std::size_t i = 0; i < results.size(); ++i) {
      Sent& sent = partitions_[static_cast<std::size_t>(request.partitions[i].value())].sent[request.values[i]];
      if (results[i]) {
        EXPECT_EQ(results[i]->partition, request.partitions[i]);
        note(sent, results[i]->offset.value());
        continue;
      }
      all = false;
      const ErrorCode code = results[i].error().code;
      EXPECT_TRUE(code == ErrorCode::kUnknownOutcome || code == ErrorCode::kUnavailable) << results[i].error().message;
      if (code == ErrorCode::kUnknownOutcome && sent.outcome == Outcome::kRefused) sent.outcome = Outcome::kUnknown;
    }
    return all;
  }

  void send_batches(Random& random, std::int32_t index) {
    Partition& partition = partitions_[static_cast<std::size_t>(index)];
    Producer& producer = partition.producers[random.below(kProducers)];
    const std::size_t most = producer.known ? 1 + random.below(4) : 1;
    while (producer.waiting.size() < most) producer.waiting.push_back(fresh_batch(random, producer));
    std::vector<std::future<BatchResult>> answers;
    for (const Batch& batch : producer.waiting) answers.push_back(append_later("a", batch.bytes, PartitionId(index)));
    bool all_acknowledged = true;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const BatchResult result = answers[i].get();
      const Batch& batch = producer.waiting[i];
      if (result) {
        for (std::size_t n = 0; n < batch.values.size(); ++n)
          note(partition.sent[batch.values[n]], result->base_offset.value() + static_cast<std::int64_t>(n));
        EXPECT_TRUE(all_acknowledged) << "acknowledged behind one that was not";
        producer.known = true;
        continue;
      }
      const BatchFault fault = result.error().fault;
      EXPECT_TRUE(fault == BatchFault::kStorage || fault == BatchFault::kUnknownOutcome ||
                  (fault == BatchFault::kOutOfOrderSequence && !all_acknowledged))
          << result.error().message;
      for (const std::string& value : batch.values) {
        Sent& sent = partition.sent[value];
        if (fault == BatchFault::kUnknownOutcome && sent.outcome == Outcome::kRefused) sent.outcome = Outcome::kUnknown;
      }
      all_acknowledged = false;
    }
    // Now and then the answers are lost, and all is sent again.
    if (all_acknowledged && !random.chance(0.2)) producer.waiting.clear();
  }

  Batch fresh_batch(Random& random, Producer& producer) {
    Batch batch;
    for (std::uint64_t i = 0; i <= random.below(4); ++i) batch.values.push_back(fresh_value(random));
    batch.bytes = batch_of(batch.values, {producer.id, 0, producer.next_sequence});
    producer.next_sequence += static_cast<std::int32_t>(batch.values.size());
    if (random.chance(0.5)) batch.bytes = compressed(batch.bytes, static_cast<Codec>(1 + random.below(4)));
    return batch;
  }

  static std::string compressed(std::string_view batch, Codec codec) {
    std::string records;
    EXPECT_TRUE(compress(codec, batch.substr(kBatchHeaderSize), records));
    std::string bytes = std::string(batch.substr(0, kBatchHeaderSize)) + records;
    store_big_endian<std::int32_t>(bytes.data() + 8, static_cast<std::int32_t>(bytes.size() - 12));
    bytes[22] = static_cast<char>(codec);
    store_big_endian<std::uint32_t>(bytes.data() + 17, crc32c(std::string_view(bytes).substr(21)));
    return bytes;
  }

  void delete_records(Random& random, std::int32_t index) {
    Partition& partition = partitions_[static_cast<std::size_t>(index)];
    const auto range = log_->offsets({"a", PartitionId(index)});
    ASSERT_TRUE(range);
    const std::int64_t to =
        range->begin.value() +
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(range->end - range->begin) + 1));
    partition.start_attempt = std::max(partition.start_attempt, to);
    if (log_->delete_records({"a", PartitionId(index)}, Offset(to)))
      partition.start_known = std::max(partition.start_known, to);
  }

  void commit_position() {
    const auto done = log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(++committing_)}});
    if (done) committed_ = committing_;
  }

  void verify_partition(std::int32_t index) {
    SCOPED_TRACE(fmt::format("partition {}", index));
    Partition& partition = partitions_[static_cast<std::size_t>(index)];
    const OffsetRange range = *log_->offsets({"a", PartitionId(index)});
    EXPECT_GE(range.begin.value(), partition.start_known);
    EXPECT_LE(range.begin.value(), partition.start_attempt);
    partition.start_known = range.begin.value();
    std::map<std::int64_t, std::string> found;
    std::set<std::string> seen;
    std::int64_t next = range.begin.value();
    for (const StoredRecord& record : read_all("a", PartitionId(index))) {
      EXPECT_EQ(record.offset, Offset(next++)) << "a gap";
      EXPECT_TRUE(seen.insert(*record.value).second) << "doubled: " << record.value->substr(0, 20);
      const auto sent = partition.sent.find(*record.value);
      ASSERT_NE(sent, partition.sent.end()) << "invented: " << record.value->substr(0, 20);
      EXPECT_NE(sent->second.outcome, Outcome::kRefused) << "refused, but there: " << record.value->substr(0, 20);
      found.emplace(record.offset.value(), *record.value);
    }
    EXPECT_EQ(next, range.end.value());
    for (const auto& [value, sent] : partition.sent)
      if (sent.outcome == Outcome::kAcknowledged && sent.offset >= range.begin.value())
        EXPECT_EQ(found[sent.offset], value) << "lost offset " << sent.offset;
    verify_raw(index, range);
  }

  // The same by batches as they are.
  void verify_raw(std::int32_t index, const OffsetRange& range) {
    Offset next = range.begin;
    bool first = true;
    while (next < range.end) {
      const auto read = log_->read_batches({"a", PartitionId(index)}, next, 20'000, true);
      ASSERT_TRUE(read) << read.error().message;
      std::string_view rest = read->bytes;
      ASSERT_FALSE(rest.empty());
      while (!rest.empty()) {
        const auto header = check_batch(rest);
        ASSERT_TRUE(header);
        EXPECT_TRUE(first ? header->base_offset <= next : header->base_offset == next);
        EXPECT_GT(header->end_offset(), next);
        next = header->end_offset();
        rest.remove_prefix(header->size);
        first = false;
      }
    }
  }

  std::array<Partition, kPartitions> partitions_;
  std::deque<Request> requests_;  // Waiting to be acknowledged.
  int values_ = 0;
  std::int64_t committing_ = 0;
  std::int64_t committed_ = 0;
};

}  // namespace pinflow::log
