#include "kafka_wire/codec.h"

#include <gtest/gtest.h>

#include "kafka_wire/testing/fill.h"

namespace pinflow::kafka_wire {
namespace {

template <class M>
std::string body_of(const M& message, std::int16_t version) {
  EncodedFrame frame;
  encode_body(message, version, frame);
  return frame.flat();
}

// Calls check.operator()<M>(version, name) for every request and response in every version.
template <class Check>
void for_each_version(Check&& check) {
  for_each_request([&]<class R>() {
    const ApiInfo& api = api_info(R::kApi);
    for (std::int16_t version = api.advertised_first; version <= api.last; ++version) {
      check.template operator()<R>(version, fmt::format("{} v{} request", api.name, version));
      check.template operator()<typename R::Response>(version, fmt::format("{} v{} response", api.name, version));
    }
  });
}

TEST(Codec, GivesEveryMessageBackInEveryVersion) {
  for_each_version([]<class M>(std::int16_t version, const std::string& name) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      Filler filler(seed);
      const M message = filler.message<M>(version);
      const std::string body = body_of(message, version);
      const auto back = decode_body<M>(body, version);
      ASSERT_TRUE(back.has_value()) << name << " seed " << seed << ": " << back.error().message;
      ASSERT_TRUE(*back == message) << name << " seed " << seed;
      ASSERT_EQ(body_of(*back, version), body) << name << " seed " << seed;
    }
  });
}

TEST(Codec, EveryVersionIsServedByATable) {
  std::size_t kinds = 0;
  for_each_request([&]<class R>() {
    EXPECT_EQ(R::kApi, R::Response::kApi);
    ++kinds;
  });
  EXPECT_EQ(kinds, all_apis().size());
}

TEST(Codec, RefusesABodyCutAtAnyByte) {
  for_each_version([]<class M>(std::int16_t version, const std::string& name) {
    Filler filler(7);
    const std::string body = body_of(filler.message<M>(version), version);
    for (std::size_t size = 0; size < body.size(); size += size < 200 ? 1 : 37) {
      const std::string cut = body.substr(0, size);  // Its own memory: the sanitizer sees a read past the end.
      const auto message = decode_body<M>(cut, version);
      ASSERT_FALSE(message.has_value()) << name << " cut at " << size;
      ASSERT_EQ(message.error().code, ErrorCode::kInvalid);
    }
  });
}

TEST(Codec, IgnoresWhatStandsBehindTheLastField) {
  for_each_version([]<class M>(std::int16_t version, const std::string& name) {
    Filler filler(3);
    const M message = filler.message<M>(version);
    const std::string body = body_of(message, version) + std::string("\0\1\377", 3);
    const auto back = decode_body<M>(body, version);
    ASSERT_TRUE(back.has_value() && *back == message) << name;
  });
}

TEST(Codec, NeverReadsOutsideAFlippedBody) {
  Random random(11);
  std::size_t accepted = 0;
  for_each_version([&]<class M>(std::int16_t version, const std::string& name) {
    Filler filler(random());
    const std::string body = body_of(filler.message<M>(version), version);
    for (int flip = 0; flip < 40 && !body.empty(); ++flip) {
      std::string damaged = body;
      for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
        damaged[random.below(damaged.size())] ^= static_cast<char>(1u << random.below(8));
      const auto message = decode_body<M>(damaged, version);
      if (!message) continue;
      ++accepted;
      const std::string again = body_of(*message, version);
      const auto back = decode_body<M>(again, version);
      ASSERT_TRUE(back.has_value() && *back == *message) << name;
    }
  });
  EXPECT_GT(accepted, 100u);
}

TEST(Codec, SkipsUnknownTaggedFields) {
  HeartbeatRequest request{.group_id = "g", .generation_id = 3, .member_id = "m"};
  std::string body = body_of(request, 4);
  ASSERT_EQ(body.back(), '\0');  // No tagged field.
  body.pop_back();
  body += std::string(
      "\x02\x05\x03"
      "abc"
      "\x88\x01\x00",
      9);  // Tag 5 with three bytes, tag 136 with none.
  const auto back = decode_body<HeartbeatRequest>(body, 4);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, request);
}

TEST(Codec, RefusesATaggedFieldThatReachesPastItsSize) {
  // Fetch v12: tag 0 is the cluster id, whose text says 9 bytes while the tagged field says it has 2.
  std::string body = body_of(FetchRequest{}, 12);
  body.pop_back();
  body += std::string(
      "\x01\x00\x02\x0a"
      "abcdefghi",
      13);
  const auto back = decode_body<FetchRequest>(body, 12);
  ASSERT_FALSE(back.has_value());
  EXPECT_NE(back.error().message.find("cluster_id"), std::string::npos) << back.error().message;
}

TEST(Codec, LeavesTaggedFieldsAtTheirDefaultOut) {
  ProduceResponse response;
  response.topics = {{.name = "t", .partitions = {{.index = 1}}}};
  const std::string without = body_of(response, 10);
  response.topics[0].partitions[0].current_leader = {.leader_id = 1, .leader_epoch = 7};
  const std::string with = body_of(response, 10);
  EXPECT_EQ(with.size(), without.size() + 2 + 9);  // Tag and size, two int32 and a count of tagged fields inside.
}

TEST(Codec, WritesNullAsEmptyWhereTheVersionKnowsNoNull) {
  const auto all = decode_body<MetadataRequest>(body_of(MetadataRequest{}, 0), 0);
  ASSERT_TRUE(all.has_value());
  ASSERT_TRUE(all->topics.has_value());
  EXPECT_TRUE(all->topics->empty());
  EXPECT_FALSE(decode_body<MetadataRequest>(body_of(MetadataRequest{}, 1), 1)->topics.has_value());
}

TEST(Codec, RefusesNullWhereTheVersionKnowsNone) {
  EXPECT_FALSE(decode_body<MetadataRequest>(std::string("\xff\xff\xff\xff", 4), 0).has_value());
  EXPECT_TRUE(decode_body<MetadataRequest>(std::string("\xff\xff\xff\xff", 4), 1).has_value());
  const auto group = decode_body<HeartbeatRequest>(std::string("\xff\xff\0\0\0\1\0\1m", 9), 0);
  ASSERT_FALSE(group.has_value());
  EXPECT_NE(group.error().message.find("group_id"), std::string::npos) << group.error().message;
}

TEST(Codec, RefusesCountsThatTheBytesCannotHold) {
  // Two bytes of an element at least, so 1,000 need 2,000.
  const std::string body = std::string("\0\0\x03\xe8", 4) + std::string(1999, '\0');
  const auto short_by_one = decode_body<MetadataRequest>(body, 1);
  ASSERT_FALSE(short_by_one.has_value());
  // Told before anything was reserved, not when the bytes ran out.
  EXPECT_NE(short_by_one.error().message.find("`topics` counts more elements"), std::string::npos)
      << short_by_one.error().message;
  EXPECT_TRUE(decode_body<MetadataRequest>(body + '\0', 1).has_value());
  // A count of 2^31 - 1, and a negative one.
  EXPECT_FALSE(decode_body<MetadataRequest>(std::string("\x7f\xff\xff\xff", 4), 1).has_value());
  EXPECT_FALSE(decode_body<MetadataRequest>(std::string("\xff\xff\xff\xfe", 4), 1).has_value());
  // The same, compact: 2^32 - 1 says 2^32 - 2 elements.
  EXPECT_FALSE(decode_body<MetadataRequest>(std::string("\xff\xff\xff\xff\x0f", 5), 9).has_value());
}

TEST(Codec, BoundsTheMemoryThatOneMessageTakes) {
  // Half a million topics with empty names are 1 MB on the wire and would be 28 MB here.
  std::string body("\0\x07\xa1\x20", 4);
  body += std::string(2 * 500'000, '\0');
  const auto message = decode_body<MetadataRequest>(body, 1);
  ASSERT_FALSE(message.has_value());
  EXPECT_NE(message.error().message.find("than a message of this size may"), std::string::npos)
      << message.error().message;
}

TEST(Codec, RefusesOverlongVarints) {
  const auto six = decode_body<MetadataRequest>(std::string("\x80\x80\x80\x80\x80\x00", 6), 9);
  ASSERT_FALSE(six.has_value());
  EXPECT_NE(six.error().message.find("varint"), std::string::npos) << six.error().message;
  EXPECT_FALSE(decode_body<MetadataRequest>(std::string("\xff\xff\xff\xff\x1f", 5), 9).has_value());
}

TEST(Codec, RefusesVersionsThatTheTableLacks) {
  const auto late = decode_body<FetchRequest>(std::string(100, '\0'), 17);
  ASSERT_FALSE(late.has_value());
  EXPECT_NE(late.error().message.find("Fetch v17 request"), std::string::npos) << late.error().message;
  EXPECT_FALSE(decode_body<FetchRequest>(std::string(100, '\0'), 3).has_value());
  EXPECT_FALSE(decode_body<FetchRequest>(std::string(100, '\0'), -1).has_value());
}

TEST(Codec, NamesRequestFieldAndByteOfWhatIsWrong) {
  const auto message = decode_body<ProduceRequest>(std::string("\xff\xff\xff\xff\0\0\0\1\0\0\0\5", 12), 3);
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().message,
            "Produce v3 request does not follow the Kafka protocol: `topics` counts more elements than the bytes left "
            "can hold (5, "
            "byte 12 of 12, 0 left)");
}

TEST(Codec, CutsTextsThatTheProtocolCannotSay) {
  SaslAuthenticateResponse response{.error_message = std::string(32766, 'x') + "\xc3\xa4 and more"};
  const std::string body = body_of(response, 0);
  const auto back = decode_body<SaslAuthenticateResponse>(body, 0);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->error_message->size(), 32766u);  // Not in the middle of a character.
}

TEST(Codec, BorrowsLargeRecordsAndCopiesSmallOnes) {
  const std::string large(5000, 'L');
  const std::string small(10, 's');
  FetchResponse response;
  response.topics = {{.topic = "t",
                      .partitions = {{.partition_index = 0, .records = large},
                                     {.partition_index = 1, .records = small},
                                     {.partition_index = 2, .records = std::string_view(large).substr(1)}}}};
  const EncodedFrame frame = encode_response(response, 11, 99);
  ASSERT_EQ(frame.borrowed.size(), 2u);
  EXPECT_EQ(frame.borrowed[0].bytes.data(), large.data());
  EXPECT_LT(frame.bytes.size(), 300u);
  const auto pieces = frame.pieces();
  ASSERT_EQ(pieces.size(), 4u);  // Ours, large, ours, large: nothing follows the last records in v11.
  EXPECT_EQ(pieces[1].data(), large.data());
  const std::string flat = frame.flat();
  EXPECT_EQ(flat.size(), frame.size());
  const auto size = frame_size(flat);
  ASSERT_TRUE(size.has_value() && size->has_value());
  EXPECT_EQ(**size, flat.size());
  const auto header = read_response_header(std::string_view(flat).substr(4), ApiKey::kFetch, 11);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->correlation_id, 99);
  const auto back = decode_body<FetchResponse>(header->body, 11);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, response);
}

TEST(Codec, DecodesProduceIntoViewsOfTheReceivedBytes) {
  const std::string batch(3000, 'b');
  ProduceRequest request{
      .acks = -1, .timeout_ms = 100, .topics = {{.name = "orders", .partitions = {{.index = 2, .records = batch}}}}};
  const std::string frame = encode_request(request, 9, 5, "me").flat();
  const auto header = read_request_header(std::string_view(frame).substr(4));
  ASSERT_TRUE(header.has_value());
  const auto back = decode_body<ProduceRequest>(header->body, header->version);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, request);
  const char* records = back->topics[0].partitions[0].records->data();
  EXPECT_TRUE(records > frame.data() && records < frame.data() + frame.size());
}

}  // namespace
}  // namespace pinflow::kafka_wire
