#include "log/batch_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/compression.h"
#include "log/crc32c.h"
#include "log/foreign_batches_fixture.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

using testing::HasSubstr;

constexpr Codec kCodecs[] = {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr std::int64_t kTime = 1'700'000'000'000;

WallTime at_ms(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

TopicSettings settings(const TopicConfigs& configs = {}) {
  const auto read = read_topic_settings(configs, {});
  EXPECT_TRUE(read);
  return read.value_or(TopicSettings{});
}

// A batch of records with these keys and times, and its parts to tamper with.
class Batch {
 public:
  explicit Batch(const std::vector<std::optional<std::string>>& keys, std::int64_t time = kTime) {
    BatchBuilder builder(bytes_, Offset(0), 0);
    for (const auto& key : keys) builder.add({key, "value", {{"h", "x"}}, std::nullopt}, at_ms(time));
    builder.finish();
  }
  template <class Int>
  Batch& put(std::size_t place, Int value) {
    store_big_endian<Int>(bytes_.data() + place, value);
    return *this;
  }
  Batch& records(std::string_view records) {
    bytes_.resize(kBatchHeaderSize);
    bytes_.append(records);
    return put<std::int32_t>(8, static_cast<std::int32_t>(bytes_.size() - 12));
  }
  Batch& compress_with(Codec codec) {
    std::string packed;
    EXPECT_TRUE(compress(codec, std::string_view(bytes_).substr(kBatchHeaderSize), packed));
    bytes_[22] = static_cast<char>(codec);
    return records(packed);
  }
  // The batch with a right checksum.
  const std::string& sealed() { return put<std::uint32_t>(17, crc32c(std::string_view(bytes_).substr(21))).bytes_; }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

std::expected<ValidBatch, BatchRefusal> validate(std::string_view batch, const TopicConfigs& configs = {},
                                                 std::int64_t now = kTime) {
  return validate_batch(batch, settings(configs), at_ms(now));
}

BatchFault fault(std::string_view batch, const TopicConfigs& configs = {}, std::int64_t now = kTime) {
  const auto valid = validate(batch, configs, now);
  EXPECT_FALSE(valid);
  if (valid) return BatchFault::kStorage;
  EXPECT_FALSE(valid.error().message.empty());
  return valid.error().fault;
}

std::string stored(const ValidBatch& valid) {
  return std::string(valid.front.data(), valid.front.size()) + std::string(valid.records);
}

TEST(BatchValidation, TakesWhatTheJavaClientSendsAsItIs) {
  for (const Codec codec : kCodecs) {
    const std::string batch = java_batch(codec);
    const auto valid = validate(batch);
    ASSERT_TRUE(valid) << codec_name(codec) << ": " << valid.error().message;
    EXPECT_EQ(stored(*valid), batch);
    EXPECT_EQ(valid->header.record_count, 3);
    EXPECT_FALSE(valid->append_time);
  }
}

TEST(BatchValidation, AnyChangedByteBehindTheLengthIsNoticed) {
  const std::string batch = java_batch(Codec::kNone);
  for (std::size_t at = 16; at < batch.size(); ++at) {
    std::string changed = batch;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_EQ(fault(changed), BatchFault::kCorruptMessage) << at;
  }
}

TEST(BatchValidation, CutShortIsCorruptAndASecondBatchIsInvalid) {
  const std::string batch = java_batch(Codec::kNone);
  for (std::size_t size = 0; size < batch.size(); ++size)
    EXPECT_EQ(fault(std::string_view(batch).substr(0, size)), BatchFault::kCorruptMessage) << size;
  EXPECT_EQ(fault(batch + batch), BatchFault::kInvalidRecord);
  EXPECT_EQ(fault(batch + "x"), BatchFault::kInvalidRecord);
}

TEST(BatchValidation, OldFormatsAreNamedWhateverTheirLength) {
  for (const char magic : {'\0', '\1'}) {
    std::string old(34, '\0');
    old[16] = magic;
    EXPECT_EQ(fault(old), BatchFault::kUnsupportedMessageFormat);
    EXPECT_EQ(fault(old + std::string(100, 'x')), BatchFault::kUnsupportedMessageFormat);
  }
}

TEST(BatchValidation, TooLargeForTheTopicIsRefusedByItsSizeAsSent) {
  const std::string batch = java_batch(Codec::kZstd);
  const auto size = std::to_string(batch.size());
  EXPECT_TRUE(validate(batch, {{"max.message.bytes", size}}));
  EXPECT_EQ(fault(batch, {{"max.message.bytes", std::to_string(batch.size() - 1)}}), BatchFault::kMessageTooLarge);
}

TEST(BatchValidation, CountsThatDoNotFitAreInvalid) {
  for (const Codec codec : kCodecs) {
    EXPECT_EQ(fault(Batch({"a", "b"}).put<std::int32_t>(57, 3).compress_with(codec).sealed()),
              BatchFault::kInvalidRecord);
    EXPECT_EQ(fault(Batch({"a", "b"}).put<std::int32_t>(23, 2).compress_with(codec).sealed()),
              BatchFault::kInvalidRecord);
    // Both say three, but two are there; or both say one.
    EXPECT_EQ(fault(Batch({"a", "b"}).put<std::int32_t>(57, 3).put<std::int32_t>(23, 2).compress_with(codec).sealed()),
              BatchFault::kInvalidRecord);
    EXPECT_EQ(fault(Batch({"a", "b"}).put<std::int32_t>(57, 1).put<std::int32_t>(23, 0).compress_with(codec).sealed()),
              BatchFault::kInvalidRecord);
  }
  Batch empty({"a"});
  EXPECT_EQ(fault(empty.put<std::int32_t>(57, 0).records("").sealed()), BatchFault::kInvalidRecord);
}

TEST(BatchValidation, OffsetsGoUpOneByOne) {
  std::string records = Batch({"a", "b"}).bytes().substr(kBatchHeaderSize);
  const std::size_t second = records.size() / 2;
  ASSERT_EQ(records[second + 3], 2);  // The second offset delta, zigzag.
  records[second + 3] = 4;
  EXPECT_EQ(fault(Batch({"a", "b"}).records(records).sealed()), BatchFault::kInvalidRecord);
  records[second + 3] = 0;
  EXPECT_EQ(fault(Batch({"a", "b"}).records(records).sealed()), BatchFault::kInvalidRecord);
}

TEST(BatchValidation, RecordsAreReadToTheirLastByte) {
  const std::string records = Batch({"a", "b"}).bytes().substr(kBatchHeaderSize);
  for (std::size_t size = 0; size < records.size(); ++size)
    EXPECT_EQ(fault(Batch({"a", "b"}).records(records.substr(0, size)).sealed()), BatchFault::kInvalidRecord) << size;
  EXPECT_EQ(fault(Batch({"a", "b"}).records(records + '\0').sealed()), BatchFault::kInvalidRecord);
  // A record that is one byte longer or shorter than its fields.
  for (const int more : {2, -2}) {
    std::string wrong = records;
    wrong[0] = static_cast<char>(wrong[0] + more);
    EXPECT_EQ(fault(Batch({"a", "b"}).records(wrong).sealed()), BatchFault::kInvalidRecord);
  }
}

TEST(BatchValidation, WhatOnlyBrokersMaySendIsRefused) {
  for (const int bit : {16, 32, 64})
    EXPECT_EQ(fault(Batch({"a"}).put<std::int16_t>(21, static_cast<std::int16_t>(bit)).sealed()),
              BatchFault::kInvalidRecord);
  EXPECT_EQ(fault(Batch({"a"}).put<std::int16_t>(21, 8).sealed()), BatchFault::kInvalidTimestamp);
}

TEST(BatchValidation, AProducerIdWantsEpochAndSequence) {
  EXPECT_EQ(fault(Batch({"a"}).put<std::int64_t>(43, 7).put<std::int16_t>(51, 0).sealed()), BatchFault::kInvalidRecord);
  EXPECT_EQ(fault(Batch({"a"}).put<std::int64_t>(43, 7).put<std::int32_t>(53, 0).sealed()), BatchFault::kInvalidRecord);
  EXPECT_TRUE(
      validate(Batch({"a"}).put<std::int64_t>(43, 7).put<std::int16_t>(51, 0).put<std::int32_t>(53, 0).sealed()));
}

TEST(BatchValidation, UnknownCodecsAndBodiesThatDoNotOpenAreInvalid) {
  for (const int codec : {1, 2, 3, 4, 5, 6, 7})
    EXPECT_EQ(fault(Batch({"a"}).put<std::int16_t>(21, static_cast<std::int16_t>(codec)).sealed()),
              BatchFault::kInvalidRecord);
}

TEST(BatchValidation, ABodyThatGrowsWithoutBoundIsTooLarge) {
  std::string packed;
  ASSERT_TRUE(compress(Codec::kZstd, std::string(std::size_t{65} << 20, '\0'), packed));
  Batch batch({"a"});
  batch.bytes()[22] = static_cast<char>(Codec::kZstd);
  EXPECT_EQ(fault(batch.records(packed).sealed()), BatchFault::kMessageTooLarge);
}

TEST(BatchValidation, CompactedTopicsRefuseKeylessRecordsOneByOne) {
  for (const Codec codec : kCodecs) {
    Batch batch({"a", std::nullopt, "", std::nullopt});
    const auto valid = validate(batch.compress_with(codec).sealed(), {{"cleanup.policy", "compact"}});
    ASSERT_FALSE(valid);
    EXPECT_EQ(valid.error().fault, BatchFault::kInvalidRecord);
    ASSERT_EQ(valid.error().records.size(), 2u);
    EXPECT_EQ(valid.error().records[0].index, 1);
    EXPECT_EQ(valid.error().records[1].index, 3);
    EXPECT_THAT(valid.error().records[0].message, HasSubstr("key"));
  }
  EXPECT_TRUE(validate(Batch({std::nullopt}).sealed(), {{"cleanup.policy", "delete"}}));
}

TEST(BatchValidation, TimestampsKeepToTheTopicsLimits) {
  const TopicConfigs limits = {{"message.timestamp.before.max.ms", "1000"}, {"message.timestamp.after.max.ms", "50"}};
  const std::string batch = Batch({"a"}).sealed();
  EXPECT_TRUE(validate(batch, limits, kTime));
  EXPECT_TRUE(validate(batch, limits, kTime + 1000));
  EXPECT_EQ(fault(batch, limits, kTime + 1001), BatchFault::kInvalidTimestamp);
  EXPECT_TRUE(validate(batch, limits, kTime - 50));
  EXPECT_EQ(fault(batch, limits, kTime - 51), BatchFault::kInvalidTimestamp);
  const auto refused = validate(batch, limits, kTime - 51);
  ASSERT_EQ(refused.error().records.size(), 1u);
  EXPECT_EQ(refused.error().records[0].index, 0);
  // Without a time there is nothing to hold it to; and with the time of arrival nobody looks at the sender's.
  EXPECT_TRUE(validate(Batch({"a"}, -1).sealed(), limits));
  EXPECT_TRUE(validate(batch, {{"message.timestamp.type", "LogAppendTime"}, {"message.timestamp.after.max.ms", "0"}},
                       kTime - 1'000'000));
}

TEST(BatchValidation, AnyTimestampFitsWhereThereIsNoLimit) {
  const TopicConfigs none = {{"message.timestamp.after.max.ms", "9223372036854775807"}};
  for (const std::int64_t time : {std::int64_t{0}, std::int64_t{1}, INT64_MAX})
    EXPECT_TRUE(validate(Batch({"a"}, time).sealed(), none)) << time;
}

TEST(BatchValidation, AGreatestTimestampThatLiesIsCorrected) {
  for (const Codec codec : kCodecs) {
    Batch batch({"a", "b"});
    batch.put<std::int64_t>(35, kTime + 999).compress_with(codec);
    const auto valid = validate(batch.sealed());
    ASSERT_TRUE(valid);
    EXPECT_EQ(valid->header.max_timestamp, kTime);
    const std::string out = stored(*valid);
    const auto checked = check_batch(out);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->max_timestamp, kTime);
    EXPECT_EQ(checked->crc, valid->header.crc);
    EXPECT_EQ(out.substr(kBatchHeaderSize), batch.bytes().substr(kBatchHeaderSize));
  }
}

TEST(BatchValidation, TheTimeOfArrivalIsStampedWhereTheTopicWantsIt) {
  for (const Codec codec : kCodecs) {
    const std::string batch = Batch({"a", "b"}).compress_with(codec).sealed();
    const auto valid = validate(batch, {{"message.timestamp.type", "LogAppendTime"}}, kTime + 5000);
    ASSERT_TRUE(valid);
    EXPECT_EQ(valid->append_time, at_ms(kTime + 5000));
    const std::string out = stored(*valid);
    const auto checked = check_batch(out);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_TRUE(checked->log_append_time());
    auto records = BatchRecords::open(out, *checked);
    ASSERT_TRUE(records);
    RecordView record;
    ASSERT_TRUE(records->next(record).value_or(false));
    EXPECT_EQ(record.timestamp, at_ms(kTime + 5000));
  }
}

TEST(BatchValidation, MutatedRecordsAreRefusedOrReadableToTheEnd) {
  Random random(3);
  const std::string original = Batch({"a", std::nullopt, "ccc"}).bytes().substr(kBatchHeaderSize);
  for (int round = 0; round < 20'000; ++round) {
    std::string records = original;
    for (int i = 0; i < 2; ++i) records[random.below(records.size())] = static_cast<char>(random.below(256));
    Batch batch({"a", std::nullopt, "ccc"});
    const std::string& bytes = batch.records(records).sealed();
    const auto valid = validate(bytes, {{"message.timestamp.after.max.ms", "9223372036854775807"}});
    const auto header = check_batch(bytes);
    ASSERT_TRUE(header);
    auto walk = BatchRecords::open(bytes, *header);
    RecordView record;
    int seen = 0;
    auto more = walk->next(record);
    for (; more && *more; more = walk->next(record)) ++seen;
    // The reader is laxer about gaps between offsets alone.
    if (valid) EXPECT_TRUE(more && seen == 3);
    if (!more) EXPECT_FALSE(valid);
  }
}

}  // namespace
}  // namespace pinflow::log
