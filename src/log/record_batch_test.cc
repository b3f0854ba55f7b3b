#include "log/record_batch.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "log/crc32c.h"
#include "log/foreign_batches_fixture.h"
#include "log/internal/bytes.h"
#include "log/partitioner.h"

namespace pinflow::log {
namespace {

using std::chrono::milliseconds;

// Bit by bit, from the definition: an independent check of the fast one.
std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

WallTime at_ms(std::int64_t ms) {
  return WallTime(milliseconds(ms));
}

// The batch that kafka-python 2.0.2 builds of these three records.
const std::string kForeign = from_hex(
    "00000000000000000000005e00000000025b0d5d3d0000000000020000018bcfe5687b0000018bcfe57c03ffffffffffffffffff"
    "ffffffffff"
    "000000032c000000046b311c7b22696e646578223a373532387d001a002d0201000402680278026e010e00904e04000100");
const std::vector<Record> kForeignRecords = {
    {"k1", "{\"index\":7528}", {}, at_ms(1'700'000'000'123)},
    {std::nullopt, "", {{"h", "x"}, {"n", std::nullopt}}, at_ms(1'700'000'000'100)},
    {"", std::nullopt, {}, at_ms(1'700'000'005'123)}};

std::string encode(const std::vector<Record>& records, Offset base = Offset(0), std::int32_t epoch = 0) {
  std::string out;
  BatchBuilder builder(out, base, epoch);
  for (const Record& record : records) builder.add(record, record.timestamp.value_or(WallTime()));
  builder.finish();
  return out;
}

Result<std::vector<StoredRecord>> decode(std::string_view bytes) {
  TRY_ASSIGN(const BatchHeader header, check_batch(bytes));
  TRY_ASSIGN(BatchRecords records, BatchRecords::open(bytes.substr(0, header.size), header));
  std::vector<StoredRecord> all;
  RecordView view;
  while (true) {
    TRY_ASSIGN(const bool more, records.next(view));
    if (!more) return all;
    all.push_back(to_stored(view));
  }
}

void expect_same(const std::vector<StoredRecord>& stored, const std::vector<Record>& records, Offset base) {
  ASSERT_EQ(stored.size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(stored[i].offset, base + static_cast<std::int64_t>(i));
    EXPECT_EQ(stored[i].key, records[i].key);
    EXPECT_EQ(stored[i].value, records[i].value);
    EXPECT_EQ(stored[i].headers, records[i].headers);
    EXPECT_EQ(stored[i].timestamp, records[i].timestamp);
  }
}

// Sets the right checksum again after a change, so that a test reaches what lies behind it.
void reseal(std::string& batch) {
  store_big_endian<std::uint32_t>(batch.data() + 17, slow_crc32c(std::string_view(batch).substr(21)));
}

TEST(Crc32c, HasThePublishedValues) {  // RFC 3720, B.4.
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, EqualsTheDefinitionAtEveryLength) {
  Random random(1);
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(crc32c(bytes), slow_crc32c(bytes)) << i;
    bytes.push_back(static_cast<char>(random()));
  }
}

TEST(Varint, KeepsTheEnds) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{64},
                                   std::int64_t{-64}, std::int64_t{-65}, INT64_MAX, INT64_MIN}) {
    char bytes[10];
    const char* end = store_varint(bytes, value);
    EXPECT_EQ(static_cast<std::size_t>(end - bytes), varint_size(value));
    std::string_view rest(bytes, end);
    std::int64_t read = 0;
    EXPECT_TRUE(take_varint(rest, read));
    EXPECT_EQ(read, value);
    EXPECT_TRUE(rest.empty());
    std::string_view cut(bytes, end - 1);
    EXPECT_FALSE(take_varint(cut, read));
  }
  std::string_view endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  std::int64_t read = 0;
  EXPECT_FALSE(take_varint(endless, read));
}

TEST(RecordBatch, ReadsWhatAForeignClientWrote) {
  const auto header = check_batch(kForeign);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->size, kForeign.size());
  EXPECT_EQ(header->record_count, 3);
  EXPECT_EQ(header->end_offset(), Offset(3));
  const auto records = decode(kForeign);
  ASSERT_TRUE(records) << records.error().message;
  expect_same(*records, kForeignRecords, Offset(0));
}

TEST(RecordBatch, WritesTheBytesThatAForeignClientWrites) {
  EXPECT_EQ(encode(kForeignRecords), kForeign);
}

TEST(RecordBatch, StampsOffsetAndEpochOutsideTheChecksum) {
  std::string batch = encode(kForeignRecords);
  stamp_batch(batch.data(), Offset(7'000'000'000), 5);
  EXPECT_EQ(batch, encode(kForeignRecords, Offset(7'000'000'000), 5));
  const auto records = decode(batch);
  ASSERT_TRUE(records);
  expect_same(*records, kForeignRecords, Offset(7'000'000'000));
}

TEST(RecordBatch, KeepsRandomRecords) {
  Random random(2);
  const auto text = [&]() -> std::optional<std::string> {
    if (random.chance(0.2)) return std::nullopt;
    std::string bytes(random.below(random.chance(0.1) ? 40'000 : 200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  };
  for (int round = 0; round < 50; ++round) {
    std::vector<Record> records;
    for (std::uint64_t i = 0; i <= random.below(200); ++i) {
      Record record{text(), text(), {}, at_ms(static_cast<std::int64_t>(random()))};
      while (random.chance(0.3)) record.headers.push_back({text().value_or(""), text()});
      records.push_back(std::move(record));
    }
    const auto decoded = decode(encode(records, Offset(round)));
    ASSERT_TRUE(decoded) << decoded.error().message;
    expect_same(*decoded, records, Offset(round));
  }
}

TEST(RecordBatch, IsRefusedAtEveryShorterLength) {
  for (std::size_t length = 0; length < kForeign.size(); ++length)
    EXPECT_EQ(check_batch(std::string_view(kForeign).substr(0, length)).error().code, ErrorCode::kCorrupt) << length;
}

TEST(RecordBatch, NoticesEveryFlippedBitBehindTheStamps) {
  for (std::size_t byte = 8; byte < kForeign.size(); ++byte) {
    if (byte >= 12 && byte < 16) continue;  // The leader epoch.
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = kForeign;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));
      EXPECT_FALSE(check_batch(flipped)) << byte << ' ' << bit;
    }
  }
}

TEST(RecordBatch, ReadsWhatTheJavaClientCompresses) {
  for (const Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    const auto records = decode(java_batch(codec));
    ASSERT_TRUE(records) << codec_name(codec) << ": " << records.error().message;
    ASSERT_EQ(records->size(), 3u);
    EXPECT_EQ((*records)[0].key, "k1");
    EXPECT_EQ((*records)[0].value, R"({"index":7528,"index":7528,"index":7528})");
    EXPECT_EQ((*records)[0].timestamp, at_ms(1'700'000'000'123));
    EXPECT_EQ((*records)[1].key, std::nullopt);
    EXPECT_EQ((*records)[1].value, "");
    EXPECT_EQ((*records)[1].headers, (std::vector<Header>{{"h", "x"}, {"n", std::nullopt}}));
    EXPECT_EQ((*records)[2].key, "");
    EXPECT_EQ((*records)[2].value, std::nullopt);
    EXPECT_EQ((*records)[2].offset, Offset(2));
    EXPECT_EQ((*records)[2].timestamp, at_ms(1'700'000'005'123));
  }
}

TEST(RecordBatch, SaysWhatCannotBeDecompressed) {
  for (const char codec : {'\1', '\2', '\3', '\4', '\5', '\7'}) {
    std::string batch = kForeign;  // Its records are not compressed.
    batch[22] = codec;
    reseal(batch);
    ASSERT_TRUE(check_batch(batch));
    const auto records = decode(batch);
    ASSERT_FALSE(records);
    EXPECT_EQ(records.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(records.error().message.find("compress"), std::string::npos) << records.error().message;
  }
}

TEST(RecordBatch, SaysThatOldFormatsAreNotRead) {
  std::string batch = kForeign;
  batch[16] = 1;
  EXPECT_EQ(check_batch(batch).error().code, ErrorCode::kInvalid);
}

TEST(RecordBatch, GivesTheTimeOfTheLogWhereTheBatchSaysSo) {
  std::string batch = kForeign;
  batch[22] = 8;
  reseal(batch);
  const auto records = decode(batch);
  ASSERT_TRUE(records);
  for (const StoredRecord& record : *records) EXPECT_EQ(record.timestamp, at_ms(1'700'000'005'123));
}

TEST(RecordBatch, RefusesContentThatContradictsTheHeader) {
  const auto broken = [](std::size_t position, std::string_view bytes) {
    std::string batch = kForeign;
    batch.replace(position, bytes.size(), bytes);
    reseal(batch);
    const auto records = decode(batch);
    return records ? std::string("accepted") : records.error().message;
  };
  const auto contains = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(contains(broken(57, std::string("\0\0\0\2", 4)), "behind the last record"));
  EXPECT_TRUE(contains(broken(57, std::string("\0\0\0\4", 4)), "record 3 of 4"));
  EXPECT_TRUE(contains(broken(23, std::string("\0\0\0\1", 4)), "record 2 of 3"));  // Offset delta past the last.
  EXPECT_TRUE(contains(broken(64, "\x05"), "record 0 of 3"));                      // Negative offset delta.
  EXPECT_TRUE(contains(broken(61, "\x01"), "record 0 of 3"));                      // Negative length.
  EXPECT_TRUE(contains(broken(65, "\x7e"), "record 0 of 3"));                      // Key longer than the record.
}

TEST(Partitioner, HashesLikeTheJavaClient) {
  EXPECT_EQ(murmur2("21"), -973932308);
  EXPECT_EQ(murmur2("foobar"), -790332482);
  EXPECT_EQ(murmur2("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(murmur2("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(murmur2("abc"), 479470107);
  EXPECT_EQ(murmur2(""), 275646681);
  EXPECT_EQ(partition_of_key("foobar", 10), PartitionId((-790332482 & 0x7fffffff) % 10));
}

}  // namespace
}  // namespace pinflow::log
