#include "live/condensed.h"

#include <limits>

#include <gtest/gtest.h>

namespace pinflow::live {
namespace {

using records::Kind;
using std::string_literals::operator""s;

const WallTime kTime{std::chrono::milliseconds(1'700'000'000'000)};

CondensedEntry pin() {
  return {.source = {Kind::kPin, 3},
          .place = {0, log::Offset(300)},
          .ind = 7,
          .time = kTime,
          .name = "Bob",
          .category = "art",
          .number = 5};
}

void expect_same(const Condensed& what, const log::Record& record) {
  const auto read = decode_condensed(*record.key, *record.value);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, what);
}

// These bytes lie in topics: they change with the version alone (docs/formats/condensed-streams.md).
TEST(Condensed, HasTheseBytes) {
  const log::Record entry = encode(pin());
  EXPECT_EQ(entry.key, "p\0\0\0\3\0\0\0\0\0\0\0\7"s);
  EXPECT_EQ(entry.value,
            "\x01\x00\xac\x02\x80\xd0\x95\xff\xbc\x31\x03"
            "Bob\x03"
            "art\x01\x0a"s);
  const log::Record mark = encode(CondensedMark{.source = {Kind::kUser, 1},
                                                .next = {1, log::Offset(4)},
                                                .high_watermark = log::Offset(6),
                                                .newest = kTime,
                                                .late = 2,
                                                .too_late = 1,
                                                .repeats = 3,
                                                .unreadable = 0});
  EXPECT_EQ(mark.key, "U\0\0\0\1"s);
  EXPECT_EQ(mark.value, "\x01\x01\x04\x06\x01\x80\xd0\x95\xff\xbc\x31\x02\x01\x03\x00"s);
}

TEST(Condensed, ReadsWhatItWrote) {
  expect_same(pin(), encode(pin()));
  for (const auto number : {std::optional<std::int64_t>(), std::optional(std::numeric_limits<std::int64_t>::min())}) {
    CondensedEntry user{
        .source = {Kind::kUser, 0}, .ind = -1, .time = kTime, .name = {}, .category = {}, .number = number};
    expect_same(user, encode(user));
  }
  const CondensedEntry geo{
      .source = {Kind::kGeo, 11}, .ind = 5, .time = {}, .name = "Aruba", .category = {}, .number = {}};
  expect_same(geo, encode(geo));
  expect_same(CondensedMark{.source = {Kind::kGeo, 1}}, encode(CondensedMark{.source = {Kind::kGeo, 1}}));
}

TEST(Condensed, RefusesWhatIsNone) {
  const log::Record record = encode(pin());
  for (std::size_t size = 0; size < record.value->size(); ++size)
    EXPECT_FALSE(decode_condensed(*record.key, std::string_view(*record.value).substr(0, size))) << size;
  EXPECT_FALSE(decode_condensed(*record.key, *record.value + "x"));
  EXPECT_FALSE(decode_condensed("", *record.value));
  EXPECT_FALSE(decode_condensed("q" + record.key->substr(1), *record.value));
  EXPECT_FALSE(decode_condensed(*record.key + "1", *record.value));
  const auto newer = decode_condensed(*record.key, "\x02" + record.value->substr(1));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::kInvalid);
  EXPECT_NE(newer.error().message.find("version 2"), std::string::npos);
}

TEST(Condensed, GivesEachKindPartitionsOfItsOwn) {
  EXPECT_EQ(condensed_partition({Kind::kPin, 5}, 4), log::PartitionId(1));
  EXPECT_EQ(condensed_partition({Kind::kGeo, 5}, 4), log::PartitionId(5));
  EXPECT_EQ(condensed_partition({Kind::kUser, 3}, 4), log::PartitionId(11));
}

}  // namespace
}  // namespace pinflow::live
