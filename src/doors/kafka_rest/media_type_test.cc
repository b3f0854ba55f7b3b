#include "doors/kafka_rest/media_type.h"

#include <string>

#include <gtest/gtest.h>

namespace pinflow::doors::kafka_rest {
namespace {

using enum EmbeddedFormat;
const Rules& confluent = rules_of(Profile::kConfluent);
const Rules& karapace = rules_of(Profile::kKarapace);

TEST(MediaTypes, AreReadWholeByTheConfluentProfile) {
  EXPECT_EQ(produce_format("application/vnd.kafka.json.v2+json", confluent), kJson);
  EXPECT_EQ(produce_format("Application/vnd.kafka.BINARY.v2+json ; charset=UTF-8", confluent), kBinary);
  EXPECT_EQ(produce_format("application/vnd.kafka.avro.v2+json", confluent), kAvro);
  EXPECT_EQ(produce_format("application/vnd.kafka.jsonschema.v2+json", confluent), kJsonSchema);
  EXPECT_EQ(produce_format("application/vnd.kafka.protobuf.v2+json", confluent), kProtobuf);
  for (const auto* const type :
       {"", "application/json", "application/octet-stream", "application/vnd.kafka.v2+json",
        "application/vnd.kafka.json.v1+json", "application/vnd.kafka.json+json", "application/vnd.kafka+json",
        "application/vnd.kafka.json.v2+json, x", "application/vnd.kafka.json.v2+json; charset=latin1"}) {
    EXPECT_EQ(produce_format(type, confluent), std::nullopt) << type;
  }
}

TEST(MediaTypes, WithoutFormatAreBinaryInTheKarapaceProfile) {
  for (const auto* const type : {"", "application/json", "application/octet-stream", "application/vnd.kafka.v2+json",
                                 "application/vnd.kafka.v1+json", "application/vnd.kafka+json"}) {
    EXPECT_EQ(produce_format(type, karapace), kBinary) << type;
  }
  EXPECT_EQ(produce_format("application/vnd.kafka.json.v1+json", karapace), kJson);
  EXPECT_EQ(produce_format("application/vnd.kafka.json+json", karapace), kJson);
}

TEST(MediaTypes, ThatNobodyKnowsAreRefusedByBoth) {
  for (const auto* const type : {"application/vnd.kafka.json.v3+json", "application/vnd.kafka.binary.v1+foo",
                                 "application/vnd.kafka.avro.v0+json", "application/vnd.kafka.json+avro",
                                 "application/vnd.kafka", "application/vnd.kafka+binary", "application/text", "bar/baz",
                                 "application/vnd.kafka.json.v2+jsonx", "xapplication/vnd.kafka.json.v2+json"}) {
    EXPECT_EQ(produce_format(type, confluent), std::nullopt) << type;
    EXPECT_EQ(produce_format(type, karapace), std::nullopt) << type;
    EXPECT_FALSE(takes_control_type(type, confluent)) << type;
    EXPECT_FALSE(takes_control_type(type, karapace)) << type;
  }
}

TEST(MediaTypes, OfControlRequestsMayNameNoFormat) {
  for (const auto* const type : {"application/vnd.kafka.v2+json", "application/vnd.kafka.json.v2+json",
                                 "application/vnd.kafka.avro.v2+json; charset=utf-8"}) {
    EXPECT_TRUE(takes_control_type(type, confluent)) << type;
    EXPECT_TRUE(takes_control_type(type, karapace)) << type;
  }
  for (const auto* const type : {"", "application/json", "application/vnd.kafka.v1+json"}) {
    EXPECT_FALSE(takes_control_type(type, confluent)) << type;
    EXPECT_TRUE(takes_control_type(type, karapace)) << type;
  }
}

TEST(Accept, OfAnswersWithoutRecords) {
  for (const auto* const accept : {"*/*", "application/*", "application/vnd.kafka.v2+json", "",
                                   "application/vnd.kafka.json.v2+json", "text/html, */*;q=0.1"}) {
    EXPECT_TRUE(accepts_answer(accept, confluent)) << accept;
    EXPECT_TRUE(accepts_answer(accept, karapace)) << accept;
  }
  for (const auto* const accept : {"application/json", "*/json", "text/html, application/json;q=0.1",
                                   "application/vnd.kafka.json.v1+json", "application/vnd.kafka+json"}) {
    EXPECT_FALSE(accepts_answer(accept, confluent)) << accept;
    EXPECT_TRUE(accepts_answer(accept, karapace)) << accept;
  }
  for (const auto* const accept : {"application/octet-stream", "application/vnd.kafka+foo", "application/text", "foo/*",
                                   "bar/json", "*/baz", "*/*;q=0", "text/html, image/*", "*/*;q=x", "*/*;q=nan"}) {
    EXPECT_FALSE(accepts_answer(accept, confluent)) << accept;
    EXPECT_FALSE(accepts_answer(accept, karapace)) << accept;
  }
  EXPECT_FALSE(accepts_answer(std::string(100'000, ',') + "*/*", confluent));
}

TEST(Accept, OfRecordsIsWeighedAndBinaryComesFirst) {
  const auto chosen = [](std::string_view accept) { return records_format(accept, kJson, confluent); };
  EXPECT_EQ(chosen(""), kBinary);
  EXPECT_EQ(chosen("*/*"), kBinary);
  EXPECT_EQ(chosen("application/*;q=0.2"), kBinary);
  EXPECT_EQ(chosen("application/vnd.kafka.json.v2+json"), kJson);
  EXPECT_EQ(chosen("application/vnd.kafka.json.v2+json, */*;q=0.5"), kJson);
  EXPECT_EQ(chosen("application/vnd.kafka.json.v2+json;q=0.4, */*;q=0.5"), kBinary);
  EXPECT_EQ(chosen("application/vnd.kafka.json.v2+json, application/vnd.kafka.binary.v2+json"), kBinary);
  EXPECT_EQ(chosen("*/*, application/vnd.kafka.binary.v2+json;q=0"), kJson);
  EXPECT_EQ(chosen("application/vnd.kafka.v2+json"), kJson);  // The instance's own.
  EXPECT_EQ(chosen("application/vnd.kafka.avro.v2+json"), kAvro);
  EXPECT_EQ(chosen("application/json"), std::nullopt);
  EXPECT_EQ(chosen("application/vnd.kafka.json.v2+json;q=0"), std::nullopt);
}

TEST(Accept, OfRecordsMustNameTheFormatInTheKarapaceProfile) {
  EXPECT_EQ(records_format("", kJson, karapace), std::nullopt);
  EXPECT_EQ(records_format("*/*", kJson, karapace), std::nullopt);
  EXPECT_EQ(records_format("application/vnd.kafka.json.v2+json", kJson, karapace), kJson);
  EXPECT_EQ(records_format("application/vnd.kafka.binary.v2+json", kJson, karapace), kBinary);
}

TEST(Profiles, HaveNames) {
  EXPECT_EQ(profile_of("confluent"), Profile::kConfluent);
  EXPECT_EQ(profile_of("karapace"), Profile::kKarapace);
  EXPECT_EQ(profile_of("Confluent"), std::nullopt);
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
