#include "log/internal/compaction.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"
#include "log/compression.h"
#include "log/crc32c.h"
#include "log/internal/batch_compaction.h"
#include "log/internal/bytes.h"
#include "log/internal/key_offsets.h"

namespace pinflow::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr std::int64_t kDay = 86'400'000;

WallTime at(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

// A record of a test: no value is a tombstone.
struct Row {
  std::int64_t offset = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp = kNow;
  friend bool operator==(const Row&, const Row&) = default;
  friend void PrintTo(const Row& row, std::ostream* out) {
    *out << row.offset << ' ' << row.key.value_or("(null)") << '=' << row.value.value_or("(null)") << '@'
         << row.timestamp;
  }
};

// Closed segments in a folder, and what the log does with them, as simple as it can be.
class Compaction : public testing::Test {
 protected:
  Compaction() { EXPECT_TRUE(disk_.create_folders("/p")); }

  // Adds a batch to the segment at work.
  void batch(std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>> rows,
             Codec codec = Codec::kNone, const BatchProducer& producer = {}, std::int64_t time = kNow) {
    std::string bytes;
    BatchBuilder builder(bytes, Offset(next_), 0);
    for (const auto& [key, value] : rows) {
      builder.add({key, value, {}, std::nullopt}, at(time));
      all_.push_back({next_++, key, value, time++});
    }
    builder.finish(producer);
    if (codec != Codec::kNone) {
      std::string packed;
      ASSERT_TRUE(compress(codec, std::string_view(bytes).substr(kBatchHeaderSize), packed));
      bytes = bytes.substr(0, kBatchHeaderSize) + packed;
      bytes[22] = static_cast<char>(codec);
      store_big_endian<std::int32_t>(bytes.data() + 8, static_cast<std::int32_t>(bytes.size() - 12));
      store_big_endian<std::uint32_t>(bytes.data() + 17, crc32c(std::string_view(bytes).substr(21)));
    }
    open_ += bytes;
  }
  void close_segment() {
    const std::int64_t base = segments_.empty() ? 0 : segments_.back().end.value();
    const disk::Path path = disk::Path("/p") / fmt::format("{:020}.log", base);
    ASSERT_TRUE(disk_.write_file(path, open_));
    segments_.push_back({Offset(base), Offset(next_), open_.size(), kNow, false, path, at(kNow), at(kNow)});
    open_.clear();
  }

  static disk::Path rewrite_path(Offset base, Offset end) {
    return disk::Path("/p") / fmt::format("{}-{}.rewrite", base.value(), end.value());
  }
  Result<void> replace(Offset base, Offset end) {
    ++replaced_;
    const disk::Path written = rewrite_path(base, end);
    TRY(disk_.sync_file(written));
    const disk::Path path = disk::Path("/p") / fmt::format("{:020}-{:020}.log", base.value(), end.value());
    TRY(disk_.rename(written, path));
    const auto synced = disk_.sync_folder("/p");
    disk_.clear_faults();
    std::vector<SegmentFacts> next;
    for (const SegmentFacts& segment : segments_)
      if (segment.base < base || segment.base >= end) next.push_back(segment);
    const auto place = std::ranges::find_if(next, [&](const SegmentFacts& segment) { return segment.base >= end; });
    next.insert(place, {base, end, disk_.describe(path)->size, kNow, false, path, at(kNow), at(kNow)});
    segments_ = std::move(next);
    return synced;
  }

  TopicSettings settings() const { return read_topic_settings(configs_, {}).value(); }
  std::optional<CompactionPlan> plan() const { return plan_compaction(segments_, compacted_to_, settings(), at(now_)); }
  // Compacts as the cleaner does: until nothing is left to do.
  void compact() {
    const TopicSettings now_set = settings();
    while (const auto planned = plan()) {
      const auto done = compact_segments(*planned, options(now_set));
      ASSERT_TRUE(done) << done.error().message;
      ASSERT_GT(done->compacted_to, compacted_to_);
      compacted_to_ = done->compacted_to;
    }
  }
  CompactionOptions options(const TopicSettings& settings) {
    return {disk_,      random_, settings,     at(now_),
            most_keys_, {},      rewrite_path, [this](Offset base, Offset end) { return replace(base, end); }};
  }

  std::vector<BatchHeader> headers() {
    std::vector<BatchHeader> all;
    walk([&](const BatchHeader& header, std::string_view) { all.push_back(header); });
    return all;
  }
  std::vector<Row> rows() {
    std::vector<Row> all;
    walk([&](const BatchHeader& header, std::string_view bytes) {
      auto records = BatchRecords::open(bytes, header);
      ASSERT_TRUE(records);
      RecordView view;
      auto more = records->next(view);
      for (; more && *more; more = records->next(view)) {
        const StoredRecord record = to_stored(view);
        all.push_back({record.offset.value(), record.key, record.value, record.timestamp.time_since_epoch().count()});
      }
      EXPECT_TRUE(more) << more.error().message;
    });
    return all;
  }
  template <class Each>
  void walk(Each each) {
    for (const SegmentFacts& segment : segments_) {
      const std::string bytes = *disk_.read_file(segment.path);
      std::string_view rest = bytes;
      while (!rest.empty()) {
        const auto header = check_batch(rest);
        ASSERT_TRUE(header) << header.error().message;
        each(*header, rest.substr(0, header->size));
        rest.remove_prefix(header->size);
      }
    }
  }
  // What compaction must leave of all that was written: the newest of each key.
  std::vector<Row> newest() const {
    std::map<std::string, std::int64_t> last;
    for (const Row& row : all_)
      if (row.key) last[*row.key] = row.offset;
    std::vector<Row> kept;
    for (const Row& row : all_)
      if (row.key && last[*row.key] == row.offset) kept.push_back(row);
    return kept;
  }

  // A reader that applies what is left in order has the same table as one of all that was written; and each record left is one that
  // was written.
  void check_against_model(std::uint64_t seed) {
    std::map<std::string, std::string> wanted;
    for (const Row& row : all_) row.value ? void(wanted[*row.key] = *row.value) : void(wanted.erase(*row.key));
    std::map<std::string, std::string> got;
    std::int64_t before = -1;
    for (const Row& row : rows()) {
      EXPECT_GT(row.offset, before) << "seed " << seed;
      before = row.offset;
      EXPECT_EQ(row, all_[static_cast<std::size_t>(row.offset)]) << "seed " << seed;
      row.value ? void(got[*row.key] = *row.value) : void(got.erase(*row.key));
    }
    EXPECT_EQ(got, wanted) << "seed " << seed;
  }

  disk::MemoryDisk disk_;
  Random random_{1};
  TopicConfigs configs_ = {{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}};
  std::int64_t now_ = kNow;
  std::size_t most_keys_ = 1000;
  Offset compacted_to_;
  std::string open_;
  std::int64_t next_ = 0;
  std::vector<Row> all_;
  std::vector<SegmentFacts> segments_;
  int replaced_ = 0;
};

TEST(KeyHash, IsSipHashWith128Bits) {
  KeyHash secret;
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes.push_back(static_cast<char>(i));
  std::memcpy(secret.data(), bytes.data(), 16);
  const auto text = [&](std::string_view key) {
    const KeyHash hash = hash_key(key, secret);
    return std::string(reinterpret_cast<const char*>(hash.data()), 16);
  };
  // The first two vectors of its reference implementation.
  EXPECT_EQ(text(""), std::string("\xa3\x81\x7f\x04\xba\x25\xa8\xe6\x6d\xf6\x72\x14\xc7\x55\x02\x93", 16));
  EXPECT_EQ(text(std::string_view("\0", 1)),
            std::string("\xda\x87\xc1\xd8\x6b\x99\xaf\x44\x34\x76\x59\x11\x9b\x22\xfc\x45", 16));
}

TEST(KeyOffsets, HoldsTheNewestOffsetUpToItsCapacity) {
  Random random(1);
  KeyOffsets keys(5000, random);
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(keys.put(std::to_string(i), Offset(i)));
  EXPECT_FALSE(keys.put("one more", Offset(5000)));
  EXPECT_TRUE(keys.put("7", Offset(5001)));
  EXPECT_EQ(keys.size(), 5000u);
  EXPECT_EQ(keys.find("7"), Offset(5001));
  EXPECT_EQ(keys.find("4999"), Offset(4999));
  EXPECT_EQ(keys.find("one more"), std::nullopt);
}

TEST_F(Compaction, TheNewestOfEachKeyStaysWhereItIs) {
  batch({{"a", "1"}, {"b", "1"}, {"a", "2"}});
  batch({{"b", "2"}});
  close_segment();
  batch({{"a", "3"}, {"c", "1"}});
  close_segment();
  compact();
  EXPECT_THAT(rows(), ElementsAre(Row{3, "b", "2", kNow}, Row{4, "a", "3", kNow}, Row{5, "c", "1", kNow + 1}));
  ASSERT_EQ(segments_.size(), 1u);
  EXPECT_EQ(segments_[0].path.filename(), "00000000000000000000-00000000000000000006.log");
  EXPECT_EQ(compacted_to_, Offset(6));
}

TEST_F(Compaction, CompressedBatchesKeepTheirCodecAndTheRestOfTheirHeader) {
  std::int32_t sequence = 0;
  for (const Codec codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    batch({{"a", "old"}, {std::string(codec_name(codec)), "stays"}, {"a", "old"}}, codec, {7, 1, sequence}, kNow);
    sequence += 3;
  }
  batch({{"a", "new"}});
  close_segment();
  const auto before = headers();
  compact();
  EXPECT_EQ(rows(), newest());
  const auto after = headers();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i + 1 < after.size(); ++i) {
    EXPECT_EQ(after[i].codec(), before[i].codec());
    EXPECT_EQ(after[i].base_offset, before[i].base_offset);
    EXPECT_EQ(after[i].last_offset_delta, 2);
    EXPECT_EQ(after[i].record_count, 1);
    EXPECT_EQ(after[i].producer_id, 7);
    EXPECT_EQ(after[i].producer_epoch, 1);
    EXPECT_EQ(after[i].base_sequence, before[i].base_sequence);
    EXPECT_EQ(after[i].max_timestamp, kNow + 1);
  }
}

TEST_F(Compaction, WhatHasNothingToLoseIsLeftAlone) {
  batch({{"a", "1"}, {"b", "1"}}, Codec::kZstd);
  close_segment();
  const std::string before = *disk_.read_file(segments_[0].path);
  compact();
  EXPECT_EQ(replaced_, 0);
  EXPECT_EQ(*disk_.read_file(segments_[0].path), before);
  EXPECT_EQ(disk_.list("/p")->size(), 1u);
}

TEST_F(Compaction, RecordsWithoutKeyGo) {
  batch({{std::nullopt, "x"}, {"a", "1"}});
  close_segment();
  compact();
  EXPECT_THAT(rows(), ElementsAre(Row{1, "a", "1", kNow + 1}));
}

TEST_F(Compaction, TombstonesStayUntilTheirHorizonAndThenGo) {
  for (const Codec codec : {Codec::kNone, Codec::kZstd}) batch({{"a", "1"}, {"b", "1"}, {"a", std::nullopt}}, codec);
  close_segment();
  compact();
  // The times of the records are as they were, though the base timestamp of the batch is now the horizon.
  EXPECT_THAT(rows(), ElementsAre(Row{4, "b", "1", kNow + 1}, Row{5, "a", std::nullopt, kNow + 2}));
  EXPECT_EQ(delete_horizon(headers()[0]), kNow + kDay);
  const auto again = [&](std::int64_t now) {
    now_ = now;
    batch({{"z", std::to_string(now)}});
    close_segment();
    compact();
  };
  again(kNow + kDay - 1);
  EXPECT_EQ(rows()[1].key, "a");
  EXPECT_EQ(delete_horizon(headers()[0]), kNow + kDay);
  again(kNow + kDay);
  EXPECT_EQ(rows()[1].key, "z");
  EXPECT_EQ(rows()[0], (Row{4, "b", "1", kNow + 1}));
}

TEST_F(Compaction, TheLastBatchOfAProducerKeepsItsHeader) {
  batch({{"a", "1"}}, Codec::kNone, {7, 0, 0});
  batch({{"a", "2"}, {"a", "3"}}, Codec::kLz4, {7, 0, 1});
  batch({{"a", "4"}}, Codec::kNone, {8, 0, 0});
  close_segment();
  batch({{"a", "5"}});
  close_segment();
  compact();
  const auto left = headers();
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[0].producer_id, 7);
  EXPECT_EQ(left[0].record_count, 0);
  EXPECT_EQ(left[0].base_offset, Offset(1));
  EXPECT_EQ(left[0].last_offset_delta, 1);
  EXPECT_EQ(left[0].base_sequence, 1);
  EXPECT_EQ(left[0].codec(), 0);
  EXPECT_EQ(left[1].producer_id, 8);
  EXPECT_EQ(rows(), newest());
  // A day later nobody asks for it.
  now_ += kDay + 10;
  batch({{"b", "1"}});
  close_segment();
  compact();
  EXPECT_EQ(headers().size(), 2u);
}

TEST_F(Compaction, SmallSegmentsAreJoinedUpToTheSizeOfOne) {
  configs_.emplace_back("segment.bytes", "1024");
  for (int i = 0; i < 10; ++i) {
    batch({{"k" + std::to_string(i), std::string(200, 'x')}, {"same", "x"}});
    close_segment();
  }
  compact();
  EXPECT_EQ(rows(), newest());
  EXPECT_LT(segments_.size(), 6u);
  for (const SegmentFacts& segment : segments_) EXPECT_LE(segment.size, 1024u);
}

TEST_F(Compaction, DamageStopsItBeforeAnythingIsLost) {
  batch({{"a", "1"}});
  close_segment();
  batch({{"a", "2"}});
  close_segment();
  disk_.flip_byte(segments_[1].path, 65);
  const TopicSettings now_set = settings();
  const auto done = compact_segments(*plan(), options(now_set));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(done.error().message, HasSubstr(segments_[1].path.string()));
  EXPECT_EQ(replaced_, 0);
}

TEST_F(Compaction, AStopIsObeyed) {
  batch({{"a", "1"}});
  close_segment();
  const TopicSettings now_set = settings();
  CompactionOptions stopped = options(now_set);
  stopped.stopped = [] { return true; };
  const auto done = compact_segments(*plan(), stopped);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
}

// Random logs, few keys at a time: the outcome is that of a simple model, also after each of the failures that a disk can have.
TEST_F(Compaction, ManyKeysTakeManyPassesAndLoseNothing) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    for (const SegmentFacts& segment : segments_) ASSERT_TRUE(disk_.remove(segment.path));
    segments_.clear();
    all_.clear();
    next_ = 0;
    compacted_to_ = Offset(0);
    now_ = kNow;
    most_keys_ = 1 + random.below(20);
    for (int round = 0; round < 4; ++round) {
      for (std::uint64_t segment = 0; segment < 1 + random.below(4); ++segment) {
        for (std::uint64_t i = 0; i < 1 + random.below(6); ++i) {
          std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>> rows;
          for (std::uint64_t row = 0; row < 1 + random.below(6); ++row)
            rows.emplace_back("k" + std::to_string(random.below(40)),
                              random.chance(0.2) ? std::nullopt : std::optional(std::to_string(next_)));
          batch(rows, static_cast<Codec>(random.below(5)));
        }
        close_segment();
      }
      now_ += static_cast<std::int64_t>(random.below(2)) * kDay;
      // Some passes fail in the middle: nothing may be lost, and no deleted value may come back.
      const TopicSettings now_set = settings();
      for (int attempt = 0; attempt < 3; ++attempt) {
        const auto planned = plan();
        if (!planned) break;
        disk_.fail_nth(std::nullopt, 1 + random.below(40), ErrorCode::kUnavailable);
        const auto done = compact_segments(*planned, options(now_set));
        disk_.clear_faults();
        if (done) compacted_to_ = done->compacted_to;
        check_against_model(seed);
      }
      compact();
      check_against_model(seed);
      std::map<std::string, int> seen;
      for (const Row& row : rows())
        ASSERT_EQ(++seen[*row.key], 1) << "seed " << seed << ", key " << *row.key << " at " << row.offset
                                       << ", compacted to " << compacted_to_.value() << ", round " << round << ", keys "
                                       << most_keys_;
    }
  }
}

TEST_F(Compaction, WaitsUntilEnoughIsNew) {
  configs_ = {{"cleanup.policy", "compact"}};
  batch({{"a", std::string(1000, 'x')}});
  close_segment();
  batch({{"b", std::string(500, 'x')}});
  close_segment();
  EXPECT_TRUE(plan());
  compacted_to_ = Offset(1);
  EXPECT_FALSE(plan());
  batch({{"c", std::string(900, 'x')}});
  close_segment();
  ASSERT_TRUE(plan());
  EXPECT_EQ(plan()->dirty_start, Offset(1));
  EXPECT_EQ(plan()->segments.size(), 3u);
  compacted_to_ = Offset(3);
  EXPECT_FALSE(plan());
}

TEST_F(Compaction, LeavesTheLastSegmentAndYoungRecordsAlone) {
  configs_.emplace_back("min.compaction.lag.ms", "1000");
  for (int i = 0; i < 3; ++i) {
    batch({{"a", "1"}});
    close_segment();
  }
  segments_[2].last = true;
  EXPECT_FALSE(plan());
  now_ += 1000;
  ASSERT_TRUE(plan());
  EXPECT_EQ(plan()->segments.size(), 2u);
  segments_[1].max_timestamp = segments_[1].max_timestamp + 1;
  segments_[1].modified = at(now_);
  ASSERT_TRUE(plan());
  EXPECT_EQ(plan()->segments.size(), 1u);
}

TEST_F(Compaction, AnOldRecordIsCompactedHoweverLittleIsNew) {
  configs_ = {{"cleanup.policy", "compact"}, {"max.compaction.lag.ms", "5000"}};
  batch({{"a", std::string(1000, 'x')}});
  close_segment();
  batch({{"a", "x"}});
  close_segment();
  compacted_to_ = Offset(1);
  EXPECT_FALSE(plan());
  now_ += 5000;
  EXPECT_TRUE(plan());
}

TEST_F(Compaction, RemembersHowFarItCame) {
  EXPECT_EQ(load_compacted_to(disk_, "/p"), Offset(0));
  ASSERT_TRUE(store_compacted_to(disk_, "/p", Offset(77)));
  EXPECT_EQ(load_compacted_to(disk_, "/p"), Offset(77));
  EXPECT_EQ(disk_.read_file("/p/compaction.state")->size(), 16u);
  disk_.flip_byte("/p/compaction.state", 11);
  EXPECT_EQ(load_compacted_to(disk_, "/p"), Offset(0));
}

}  // namespace
}  // namespace pinflow::log
