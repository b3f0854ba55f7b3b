#include <gtest/gtest.h>

#include "base/base64.h"
#include "doors/kinesis/resharding.h"
#include "doors/kinesis/sealed_text.h"
#include "doors/kinesis/sequence_number.h"
#include "doors/kinesis/shard_map.h"
#include "doors/kinesis/stream.h"
#include "doors/kinesis/stream_state.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;

std::string text_of(const SequenceNumber& number) {
  return std::string(SequenceText(number).view());
}

TEST(ShardMap, PlacesKeysAsKinesisDoes) {
  KeyHasher hasher;
  EXPECT_EQ(to_decimal(hasher("a")), "16955237001963240173058271559858726497");
  EXPECT_EQ(to_decimal(hasher("b")), "195289424170611159128911017612795795343");
  EXPECT_EQ(to_decimal(hasher("e")), "299611584147932843547128611849858313266");
  EXPECT_EQ(to_decimal(hasher("f")), "190917122200326810055233066464581373159");
  const auto stream = Stream::of({"s", {}, 3, {}, {}});
  const std::pair<std::string_view, int> vectors[] = {{"a", 0}, {"b", 1}, {"e", 2}, {"f", 1}};
  for (const auto& [key, shard] : vectors) EXPECT_EQ((*stream)->shard_of(hasher(key)), shard) << key;
}

TEST(ShardMap, CoversTheRingWithoutGaps) {
  for (const std::int32_t shards : {1, 2, 3, 4, 5, 7, 100}) {
    HashKey next = 0;
    for (std::int32_t i = 0; i < shards; ++i) {
      const auto range = even_range(shards, i);
      EXPECT_TRUE(range.first == next) << shards << " " << i;
      next = range.last + 1;
    }
    EXPECT_TRUE(next == 0) << shards;  // Past the last key.
  }
  EXPECT_EQ(to_decimal(even_range(2, 1).first), "170141183460469231731687303715884105728");
}

TEST(ShardMap, ReadsHashKeysUpToTheEndOfTheRing) {
  EXPECT_TRUE(parse_hash_key("340282366920938463463374607431768211455") == kLastHashKey);
  EXPECT_FALSE(parse_hash_key("340282366920938463463374607431768211456"));
  EXPECT_FALSE(parse_hash_key("999999999999999999999999999999999999999"));
  EXPECT_FALSE(parse_hash_key("1x"));
  EXPECT_FALSE(parse_hash_key(""));
}

TEST(ShardMap, ReadsShardIdsByTheirDigits) {
  EXPECT_EQ(parse_shard_id("2147483647"), 2147483647);
  EXPECT_EQ(parse_shard_id("a-00002147483647"), 2147483647);
  EXPECT_EQ(parse_shard_id("-0005"), 5);
  EXPECT_EQ(parse_shard_id("shard-0"), 0);
  for (const auto* const bad : {"2147483648", "ABKLFD8", "2.14E4", "shardId-", "a--1", ""})
    EXPECT_FALSE(parse_shard_id(bad)) << bad;
}

TEST(SequenceNumber, FollowsTheLayoutOfKinesis) {
  // The decimal of hexadecimal 206553f100100000000000000050006553f17b000000012.
  const SequenceNumber number{sys_seconds(1700000000s), 1, 5, sys_seconds(1700000123s)};
  EXPECT_EQ(text_of(number), "49646437577130777162115407028973509772956159636150419474");
  EXPECT_EQ(parse_sequence_number("49646437577130777162115407028973509772956159636150419474"), number);
  EXPECT_EQ(text_of({}).size(), 56U);
}

TEST(SequenceNumber, OfNeighbouringShardsLieAsFarApartAsOnAws) {
  const std::string a = text_of({sys_seconds(1s), 0, 0, sys_seconds(1s)});
  const std::string b = text_of({sys_seconds(1s), 1, 0, sys_seconds(1s)});
  // 2^144 + 16 = 22300745198530623141535718272648361505980432, of which the last 18 digits are looked at.
  constexpr std::uint64_t kPart = 1'000'000'000'000'000'000;
  const auto tail = [](const std::string& text) { return std::stoull(text.substr(38)); };
  EXPECT_EQ((tail(b) + kPart - tail(a)) % kPart, 272648361505980432U);
}

TEST(SequenceNumber, RisesWithTheOffsetWhateverTheClockDoes) {
  const auto at = [](std::int64_t counter, std::chrono::seconds time) {
    return text_of({sys_seconds(5s), 0, counter, sys_seconds(time)});
  };
  EXPECT_LT(at(1, 5'000'000'000s), at(2, 1s));
  EXPECT_LT(at(0xffff'ffff, 5s), at(0x1'0000'0000, 1s));
  EXPECT_LT(at(0x1'0000'0000, 1s), at(kClosedCounter, 1s));
}

TEST(SequenceNumber, ReadsOldVersionsAndRefusesWhatAwsNeverMade) {
  EXPECT_EQ(parse_sequence_number("0")->version, 0);
  EXPECT_EQ(parse_sequence_number("5")->shard, 5);
  EXPECT_EQ(parse_sequence_number("425352958651173072921826052383309826")->shard, 2);
  // 13bb2cc3d80000000000000000000000: a creation of 16025175000 s.
  EXPECT_FALSE(parse_sequence_number("26227199374822427428162556223570313216"));
  // 3bb2cc3d7ff7fffffffffffffff0000: the second before.
  EXPECT_EQ(parse_sequence_number("4959551442263168998791835944497381376").has_value(), true);
  // 20000000000800000000000000000000000000000000002: the counter's top bit; ...800000002: the shard's.
  EXPECT_FALSE(parse_sequence_number("49039857307719593840066370180380661734935976090628259842"));
  EXPECT_FALSE(parse_sequence_number("49039857307708443467467104868809893875799651944235008002"));
  EXPECT_FALSE(parse_sequence_number(std::string(57, '1')));
  EXPECT_FALSE(parse_sequence_number("99999999999999999999999999999999999999999999999999999999"));
  EXPECT_FALSE(parse_sequence_number("-1"));
  EXPECT_FALSE(parse_sequence_number(""));
}

TEST(SealedText, HasTheFormThatClientsCheckAndGivesBackWhatItSeals) {
  Random random(1);
  const Uuid id = Uuid::random(random);
  for (const std::size_t length : {1U, 13U, 14U, 29U, 30U, 128U}) {
    const SealedPosition position{std::string(length, 's'), 7, 123456789012, WallTime(1700000000000ms), 99};
    const std::string text = position.seal(id);
    const auto bytes = base64_decode(text);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), 152 + (length + 14) / 16 * 16);
    EXPECT_EQ(bytes->substr(0, 8), std::string("\0\0\0\0\0\0\0\1", 8));
    for (const auto& given : {text, "\"" + text + "\""}) {
      const auto read = SealedText::read(given);
      ASSERT_TRUE(read);
      EXPECT_EQ(read->position().stream, position.stream);
      EXPECT_EQ(read->position().offset, position.offset);
      EXPECT_EQ(read->position().shard, 7);
      EXPECT_TRUE(read->is_of(id) && read->is_sealed_by(id));
      EXPECT_FALSE(read->is_of(Uuid::random(random)));
    }
  }
}

TEST(SealedText, NoticesEachChangedByte) {
  Random random(1);
  const Uuid id = Uuid::random(random);
  const std::string good = base64_decode(SealedPosition{"stream", 0, 1, {}, 5}.seal(id)).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    const auto read = SealedText::read(base64_encode(bad));
    EXPECT_FALSE(read && read->is_of(id) && read->is_sealed_by(id)) << i;
  }
}

// An SDK that is given an id with AWS's hyphen asks a host of AWS that is named by it, whatever endpoint it was told.
TEST(SealedText, StreamIdsLeaveTheEndpointOfSdksAlone) {
  const std::string id = stream_id({});
  EXPECT_EQ(id.size(), 24U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"), std::string::npos);
}

StreamState full_state() {
  StreamState state = fresh_state(3, sys_seconds(100s));
  split_shard(state, 1, even_range(3, 1).first + 5, WallTime(200'500ms));
  merge_shards(state, 0, 3, WallTime(300'000ms));
  state.on_demand = true;
  state.max_record_kib = 2048;
  state.warm_mib = 3;
  state.tags = {{"a \"", "b"}, {"\xc3\xa9", ""}};
  state.consumers = {{"c1", WallTime(1ms), {{"k", "v"}}, "{\"p\":1}"}, {"c2", WallTime(2ms)}};
  state.key_id = "alias/x";
  state.policy = "{}";
  state.metrics = {"IncomingBytes"};
  state.scaled = {WallTime(5ms)};
  state.pending = {PendingChange::Kind::kSplit, 4, 1, kLastHashKey, 9};
  return state;
}

TEST(StreamState, IsReadAsItWasWritten) {
  const StreamState state = full_state();
  const auto read = decode_state(encode_state(state), sys_seconds(100s));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, state);
}

TEST(StreamState, OfAFreshStreamIsShortWhateverItsShards) {
  EXPECT_LT(encode_state(fresh_state(1000, {})).size(), 250U);
  EXPECT_EQ(encode_state(fresh_state(2, {})),
            R"({"version":1,"even":2,"shards":[],"closed":[],"on_demand":false,"max_record_kib":1024,"warm_mib":0,)"
            R"("tags":{},"consumers":[],"key_id":"","policy":"","metrics":[],"scaled":[]})");
}

TEST(StreamState, RefusesNewerVersionsAndDamage) {
  EXPECT_EQ(decode_state(R"({"version":2,"even":1})", {}).error().code, ErrorCode::kInvalid);
  for (const auto* const bad :
       {"", "{}", R"({"even":1})", R"({"version":1})", R"({"version":1,"even":0})",
        R"({"version":1,"even":1,"closed":[[1,2]]})", R"({"version":1,"even":1,"shards":[[1]]})",
        R"({"version":1,"even":1,"shards":[[0,1,7,-1,5]]})", R"({"version":1,"even":1} x)"})
    EXPECT_EQ(decode_state(bad, {}).error().code, ErrorCode::kCorrupt) << bad;
}

TEST(StreamState, WithKeysUncoveredMakesNoStream) {
  StreamState state = fresh_state(2, {});
  state.shards[1].closed = WallTime(5ms);
  const log::Topic topic{"t", {}, 2, {{std::string(kStateSetting), encode_state(state)}}, {}};
  EXPECT_EQ(Stream::of(topic).error().code, ErrorCode::kCorrupt);
}

std::size_t open_count(const StreamState& state) {
  return static_cast<std::size_t>(std::ranges::count_if(state.shards, &Shard::is_open));
}

TEST(Resharding, ScalesAsAwsDoesAndCoversTheRing) {
  for (std::int32_t from = 1; from <= 20; ++from) {
    for (std::int32_t to = (from + 1) / 2; to <= 2 * from; ++to) {
      StreamState state = fresh_state(from, {});
      scale_shards(state, to, WallTime(10'000ms));
      ASSERT_EQ(open_count(state), static_cast<std::size_t>(to)) << from << " to " << to;
      const log::Topic topic{"t", {}, 100, {{std::string(kStateSetting), encode_state(state)}}, {}};
      ASSERT_TRUE(Stream::of(topic)) << from << " to " << to;
    }
  }
  StreamState state = fresh_state(4, {});
  scale_shards(state, 5, {});
  EXPECT_EQ(state.shards.size(), 15U);
}

TEST(Resharding, ChildrenBeginASecondAfterTheirParentsEnd) {
  StreamState state = fresh_state(1, sys_seconds(1s));
  split_shard(state, 0, 2, WallTime(10'900ms));
  EXPECT_EQ(state.shards[0].closed, WallTime(10'900ms));
  EXPECT_EQ(state.shards[1].created, sys_seconds(11s));
  EXPECT_TRUE(state.shards[1].range == (HashRange{0, 1}));
  EXPECT_TRUE(state.shards[2].range == (HashRange{2, kLastHashKey}));
}

}  // namespace
}  // namespace pinflow::doors::kinesis
