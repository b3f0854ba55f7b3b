#include "doors/kinesis/input.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"

namespace pinflow::doors::kinesis {
namespace {

using std::chrono::milliseconds;

const Shape* shape_of(std::string_view operation) {
  return &find_operation(operation)->input;
}

std::string bytes_of(std::string_view hex) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (hex[i] == ' ') ++i;
    out += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return out;
}

Input json(std::string_view operation, std::string_view body) {
  return read_json(body, shape_of(operation));
}
Input cbor(std::string_view operation, std::string_view hex) {
  return read_cbor(bytes_of(hex), shape_of(operation));
}

// Section 1.4 of the contract: what a SerializationException says of each pair of types.
struct Mismatch {
  std::string_view operation;
  std::string_view body;
  std::string_view message;
};
constexpr std::string_view kList = "Start of list found where not expected";
constexpr std::string_view kStructure = "Start of structure or map found where not expected.";
constexpr Mismatch kMismatches[] = {
    {"DeleteStream", R"({"StreamName":true})", "class java.lang.Boolean can not be converted to an String"},
    {"DeleteStream", R"({"StreamName":23})",
     "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
    {"DeleteStream", R"({"StreamName":34.56})",
     "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
    {"DeleteStream", R"({"StreamName":[]})", kList},
    {"DeleteStream", R"({"StreamName":{}})", kStructure},
    {"DescribeStream", R"({"Limit":"23"})", "class java.lang.String can not be converted to an Integer"},
    {"DescribeStream", R"({"Limit":false})", "class java.lang.Boolean can not be converted to an Integer"},
    {"DescribeStream", R"({"Limit":[]})", kList},
    {"DescribeStream", R"({"Limit":{}})", kStructure},
    {"DeleteStream", R"({"EnforceConsumerDeletion":"hello"})", "'HELLO' can not be converted to an Boolean"},
    {"DeleteStream", R"({"EnforceConsumerDeletion":23})",
     "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an Boolean"},
    {"DeleteStream", R"({"EnforceConsumerDeletion":[]})", kList},
    {"DeleteStream", R"({"EnforceConsumerDeletion":{}})", kStructure},
    {"PutRecord", R"({"Data":true})", "class java.lang.Boolean can not be converted to a Blob"},
    {"PutRecord", R"({"Data":2147483648})",
     "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to a Blob"},
    {"PutRecord", R"({"Data":[]})", kList},
    {"PutRecord", R"({"Data":{}})", kStructure},
    {"PutRecord", R"({"Data":"23456"})",
     "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
    {"PutRecord", R"({"Data":"=+/="})", "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"},
    {"PutRecord", R"({"Data":"ab\"d"})", "'ab\"d' can not be converted to a Blob: Invalid Base64 character: '\"'"},
    {"PutRecord", R"({"Data":"+/+="})",
     "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"},
    {"GetShardIterator", R"({"Timestamp":true})",
     "class java.lang.Boolean can not be converted to milliseconds since epoch"},
    {"GetShardIterator", R"({"Timestamp":"2015"})",
     "class java.lang.String can not be converted to milliseconds since epoch"},
    {"GetShardIterator", R"({"Timestamp":[]})", kList},
    {"GetShardIterator", R"({"Timestamp":{}})", kStructure},
    {"PutRecords", R"({"Records":"23"})", "Expected list or null"},
    {"PutRecords", R"({"Records":true})", "Expected list or null"},
    {"PutRecords", R"({"Records":-2147483648})", "Expected list or null"},
    {"PutRecords", R"({"Records":{}})", kStructure},
    {"AddTagsToStream", R"({"Tags":34.56})", "Expected map or null"},
    {"AddTagsToStream", R"({"Tags":[]})", kList},
    {"AddTagsToStream", R"({"Tags":{"a":1}})",
     "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String"},
    {"PutRecords", R"({"Records":["23"]})", "Expected null"},
    {"PutRecords", R"({"Records":[23]})", "Expected null"},
    {"PutRecords", R"({"Records":[[]]})", kList},
    {"PutRecords", R"({"Records":[{"PartitionKey":{}}]})", kStructure},
    {"RemoveTagsFromStream", R"({"TagKeys":[true]})", "class java.lang.Boolean can not be converted to an String"},
};

TEST(KinesisInput, NamesTheTypeThatDoesNotFit) {
  for (const auto& [operation, body, message] : kMismatches) {
    const auto input = json(operation, body);
    EXPECT_TRUE(input.parsed) << body;
    EXPECT_EQ(input.mismatch.value_or("none"), message) << body;
  }
}

TEST(KinesisInput, RefusesWhatIsNotAJsonObject) {
  for (std::string_view body :
       {"hello", "null", "[]", "1", "\"a\"", "{", "{}x", "{,}", R"({"a":1,})", R"({"a" 1})", R"({"StreamName":"a)",
        R"({"StreamName":tru})", R"({"Records":[{"Data":"YQ=="},]})", R"({"Records":[{"Data":"YQ==)",
        "{\"StreamName\":\"\xff\"}", "{\"StreamName\":\"a\nb\"}", R"({"StreamName":"\x"})",
        R"({"StreamName":true "b":1})", R"({"Limit":01})"}) {
    EXPECT_FALSE(json("PutRecords", body).parsed) << body;
  }
  // What stands behind a wrong type is still looked at.
  EXPECT_FALSE(json("DescribeStream", R"({"Limit":"x","StreamName":nul})").parsed);
  const std::string deep = "{\"a\":" + std::string(5000, '[');
  EXPECT_FALSE(json("PutRecords", deep).parsed);
  EXPECT_TRUE(read_json(R"({"x":[1,{"y":null}]})", nullptr).parsed);
  EXPECT_FALSE(read_json("[]", nullptr).parsed);
}

TEST(KinesisInput, ReadsJsonIntoTypedValues) {
  const auto input = json("PutRecords", R"( { "Unknown" : [ {"a" : 1} ], "StreamName":"old","StreamName" : "s\u0031",
      "StreamARN":null, "Records":[{"PartitionKey":"k\"\u00e9","Data":"YWI\/","ExplicitHashKey":null},{}]} )");
  ASSERT_TRUE(input.parsed && !input.mismatch);
  EXPECT_EQ(input.value["StreamName"].text(), "s1");
  EXPECT_TRUE(input.value["StreamARN"].is_null());
  EXPECT_TRUE(input.value["Unknown"].is_null());
  const auto& records = input.value["Records"].list();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0]["PartitionKey"].text(), "k\"\xc3\xa9");
  EXPECT_EQ(records[0]["Data"].text(), "ab?");
  EXPECT_TRUE(records[0]["ExplicitHashKey"].is_null());
  EXPECT_TRUE(records[1]["Data"].is_null());
}

TEST(KinesisInput, RoundsNumbersAsAwsDoes) {
  const std::pair<std::string_view, std::int64_t> numbers[] = {{"23", 23},
                                                               {"34.56", 34},
                                                               {"-0.5", -1},
                                                               {"2147483648", 2'147'483'647},
                                                               {"1e400", 2'147'483'647},
                                                               {"-1e400", -2'147'483'648},
                                                               {"1e-400", 0},
                                                               {"99999999999999999999", 2'147'483'647}};
  for (const auto& [text, number] : numbers) {
    const auto input = json("DescribeStream", fmt::format(R"({{"Limit":{}}})", text));
    EXPECT_EQ(input.value["Limit"].integer(), number) << text;
  }
  const std::pair<std::string_view, std::int64_t> times[] = {
      {"1700000000", 1'700'000'000'000}, {"1459799926.480", 1'459'799'926'480}, {"1.7E9", 1'700'000'000'000}, {"0", 0}};
  for (const auto& [text, ms] : times) {
    const auto input = json("GetShardIterator", fmt::format(R"({{"Timestamp":{}}})", text));
    EXPECT_EQ(input.value["Timestamp"].time(), WallTime(milliseconds(ms))) << text;
  }
}

TEST(KinesisInput, KeepsNoMoreOfAListThanItsBoundNeeds) {
  std::string body = "{\"Records\":[{}";
  for (int i = 0; i < 5'000; ++i) body += ",{}";
  EXPECT_EQ(json("PutRecords", body + "]}").value["Records"].list().size(), 501U);
  EXPECT_EQ(json("PutRecords", body + ",7]}").mismatch, "Expected null");
}

// ---- CBOR

TEST(KinesisInput, ReadsCborAsJavaSendsIt) {
  // {"StreamName": "s", "Records": [{"Data": h'0102', "PartitionKey": "k"}]}, of definite lengths.
  const auto definite = cbor("PutRecords",
                             "a2 6a53747265616d4e616d65 6173 675265636f726473 81 a2 6444617461 420102 "
                             "6c506172746974696f6e4b6579 616b");
  // The same of indefinite lengths, the data and a name in chunks, beside a member that nobody knows.
  const auto indefinite = cbor("PutRecords",
                               "bf 6a53747265616d4e616d65 7f617360ff 6178 9fbf6179f6ff01ff 675265636f726473 9f bf "
                               "7f63446174 6161ff 5f41014102ff 6c506172746974696f6e4b6579 616b ff ff ff");
  for (const auto* input : {&definite, &indefinite}) {
    ASSERT_TRUE(input->parsed && !input->mismatch);
    EXPECT_EQ(input->value["StreamName"].text(), "s");
    ASSERT_EQ(input->value["Records"].list().size(), 1U);
    EXPECT_EQ(input->value["Records"].list()[0]["Data"].text(), "\x01\x02");
    EXPECT_EQ(input->value["Records"].list()[0]["PartitionKey"].text(), "k");
  }
}

TEST(KinesisInput, ReadsTimesInMilliseconds) {
  const std::pair<std::string_view, std::int64_t> times[] = {
      {"c11b000001a01a2b3c4d", 0x1a01a2b3c4d},      // As captured from Java: tag 1, whole milliseconds.
      {"1b000001a01a2b3c4d", 0x1a01a2b3c4d},        // Untagged.
      {"c1fb41d954fc40000000", 1'700'000'000'000},  // A fraction, in seconds: what the tag means elsewhere.
      {"fb4278bcfe56800000", 1'700'000'000'000},    // A fraction that can only be milliseconds.
      {"c13903e7", -1000},
      {"f93c00", 1000},  // Half precision.
      {"fa3fc00000", 1500}};
  for (const auto& [hex, ms] : times) {
    const auto input = cbor("GetShardIterator", "a16954696d657374616d70" + std::string(hex));
    ASSERT_TRUE(input.parsed && !input.mismatch) << hex;
    EXPECT_EQ(input.value["Timestamp"].time(), WallTime(milliseconds(ms))) << hex;
  }
}

TEST(KinesisInput, ConvertsCborNumbersAndNamesTypesThatDoNotFit) {
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d697417").value["Limit"].integer(), 23);
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d6974fb4041480000000000").value["Limit"].integer(), 34);
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d69741bffffffffffffffff").value["Limit"].integer(), 2'147'483'647);
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d69743bffffffffffffffff").value["Limit"].integer(), -2'147'483'648);
  EXPECT_TRUE(cbor("DescribeStream", "a1654c696d6974f6").value["Limit"].is_null());
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d69746161").mismatch,
            "class java.lang.String can not be converted to an Integer");
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d6974f5").mismatch,
            "class java.lang.Boolean can not be converted to an Integer");
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d697480").mismatch, kList);
  EXPECT_EQ(cbor("DescribeStream", "a1654c696d6974bfff").mismatch, kStructure);
  EXPECT_EQ(cbor("PutRecord", "a1 6444617461 6459513d3d").value["Data"].text(), "a");  // Base64 in a text.
  EXPECT_EQ(cbor("PutRecord", "a1 6444617461 6159").mismatch,
            "'Y' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 1");
}

TEST(KinesisInput, RefusesWhatIsNotACborMap) {
  for (std::string_view hex : {"",
                               "80",
                               "f6",
                               "01",
                               "a1",
                               "bf",
                               "bf6161",
                               "bf6161ff",
                               "a16161",
                               "a0a0",
                               "bf616101",
                               "a1616118",
                               "a1616a1c",
                               "a161611f",
                               "a16161ff",
                               "a161619f01",
                               "ff",
                               "a161617f6161",
                               "a161617f5fff",
                               "a161617f4161ff",
                               "a1617a7affffffff",
                               "a161615bffffffffffffffff",
                               "bb7fffffffffffffff",
                               "a161619bffffffffffffffff",
                               "a16161bbffffffffffffffff",
                               "a16161f820",
                               "a16161e0",
                               "a1c1"}) {
    EXPECT_FALSE(cbor("PutRecords", hex).parsed) << hex;
    EXPECT_FALSE(read_cbor(bytes_of(hex), nullptr).parsed) << hex;
  }
  EXPECT_FALSE(cbor("PutRecords", "a16a53747265616d4e616d6561ff").parsed);  // A text that is not UTF-8.
  std::string deep = "a16161";
  for (int i = 0; i < 100'000; ++i) deep += "9f";
  EXPECT_FALSE(cbor("PutRecords", deep).parsed);
  EXPECT_TRUE(cbor("PutRecords", "d9d9f7a1 6161 9f 81 a1 01 02 bf 6161 80 ff ff").parsed);
}

// ---- constraints

struct Broken {
  std::string_view operation;
  std::string_view body;
  std::string_view message;  // Empty: nothing is wrong.
};

std::string broken(std::string_view operation, std::string_view body) {
  const auto input = json(operation, body);
  EXPECT_TRUE(input.parsed && !input.mismatch) << body << " " << input.mismatch.value_or("");
  return broken_constraints(*shape_of(operation), input.value).value_or("");
}

#define VALUE(value, path) "Value '" value "' at '" path "' failed to satisfy constraint: "
#define NOTHING(path) "Value null at '" path "' failed to satisfy constraint: Member must not be null"
#define NAME "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
#define SHORTEST "Member must have length greater than or equal to 1"

constexpr Broken kBroken[] = {
    {"PutRecord", "{}",
     "3 validation errors detected: " NOTHING("partitionKey") "; " NOTHING("data") "; " NOTHING("streamName")},
    {"PutRecord", R"({"StreamName":"s","PartitionKey":"k","Data":""})", ""},
    {"PutRecord", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s","PartitionKey":"k","Data":""})",
     ""},
    {"DeleteStream", R"({"StreamName":""})",
     "2 validation errors detected: " VALUE("", "streamName") NAME "; " VALUE("", "streamName") SHORTEST},
    {"DescribeStream", R"({"StreamName":"s","Limit":0})",
     "1 validation error detected: " VALUE("0", "limit") "Member must have value greater than or equal to 1"},
    {"DescribeStream", R"({"StreamName":"s","Limit":10001})",
     "1 validation error detected: " VALUE("10001", "limit") "Member must have value less than or equal to 10000"},
    {"PutRecords", R"({"StreamName":"","Records":[{"PartitionKey":"","Data":"","ExplicitHashKey":""}]})",
     "4 validation errors detected: " VALUE("", "records.1.member.partitionKey") SHORTEST
     "; " VALUE("", "records.1.member.explicitHashKey") "Member must satisfy regular expression pattern: "
                                                        "0|([1-9]\\d{0,38}); " VALUE("", "streamName") NAME
     "; " VALUE("", "streamName") SHORTEST},
    {"PutRecords", R"({"StreamName":"s","Records":[]})",
     "1 validation error detected: " VALUE("[]", "records") SHORTEST},
    {"PutRecords", R"({"StreamName":"s","Records":[{"PartitionKey":"k","Data":""},null]})",
     "1 validation error detected: " NOTHING("records.2.member")},
    {"PutRecords", R"({"StreamName":"s","Records":[{}]})",
     "2 validation errors detected: " NOTHING("records.1.member.partitionKey") "; " NOTHING("records.1.member.data")},
    {"GetShardIterator", R"({"StreamName":"s","ShardId":"0","ShardIteratorType":"","StartingSequenceNumber":"01"})",
     "2 validation errors detected: " VALUE(
         "", "shardIteratorType") "Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, "
                                  "AT_SEQUENCE_NUMBER, "
                                  "TRIM_HORIZON]; " VALUE(
                                      "01", "startingSequenceNumber") "Member must satisfy regular expression pattern: "
                                                                      "0|([1-9]\\d{0,128})"},
    {"ListShards", "{}", ""},
    {"ListShards", R"({"StreamName":"s","ShardFilter":{"ShardId":"0"}})",
     "1 validation error detected: " NOTHING("shardFilter.type")},
    {"AddTagsToStream", R"({"StreamName":"s","Tags":{}})",
     "1 validation error detected: " VALUE("{}", "tags") SHORTEST},
    {"AddTagsToStream", R"({"StreamName":"s","Tags":{"":"1","b":"2"}})",
     "1 validation error detected: " VALUE("{=1, b=2}",
                                           "tags") "Map keys must satisfy constraint: [Member must have length less "
                                                   "than or equal to 128, Member must have length "
                                                   "greater than or equal to 1]"},
    {"AddTagsToStream", R"({"StreamName":"s","Tags":{"a":null}})",
     "1 validation error detected: " VALUE("{a=null}",
                                           "tags") "Map value must satisfy constraint: [Member must not be null]"},
    {"RemoveTagsFromStream", R"({"StreamName":"s","TagKeys":["a",""]})",
     "1 validation error detected: " VALUE("[a, ]",
                                           "tagKeys") "Member must satisfy constraint: [Member must have length less "
                                                      "than or equal to 128, Member must have length "
                                                      "greater than or equal to 1]"},
    {"EnableEnhancedMonitoring", R"({"StreamName":"s","ShardLevelMetrics":["x"]})",
     "1 validation error detected: " VALUE(
         "[x]", "shardLevelMetrics") "Member must satisfy constraint: [Member must satisfy enum value set: "
                                     "[IncomingBytes, IncomingRecords, "
                                     "OutgoingBytes, OutgoingRecords, WriteProvisionedThroughputExceeded, "
                                     "ReadProvisionedThroughputExceeded, "
                                     "IteratorAgeMilliseconds, ALL]]"},
    {"SubscribeToShard", R"({"ConsumerARN":"x","ShardId":"0","StartingPosition":{"Type":"LATEST"}})",
     "1 validation error detected: " VALUE(
         "x", "consumerARN") "Member must satisfy regular expression pattern: "
                             "^(arn):aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/"
                             "consumer\\/[a-zA-Z0-9_.-]+:[0-9]+"},
    {"UpdateMaxRecordSize", R"({"MaxRecordSizeInKiB":1})",
     "1 validation error detected: " VALUE(
         "1", "maxRecordSizeInKiB") "Member must have value greater than or equal to 1024"},
};

TEST(KinesisConstraints, AreWordedAsAwsDoes) {
  for (const auto& [operation, body, message] : kBroken) EXPECT_EQ(broken(operation, body), message) << body;
}

TEST(KinesisConstraints, CountLengthsAsJavaDoes) {
  const auto key = [](std::string_view character, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += character;
    return broken("PutRecord", fmt::format(R"({{"StreamName":"s","PartitionKey":"{}","Data":""}})", text));
  };
  EXPECT_EQ(key("\xc3\xa9", 256), "");
  EXPECT_THAT(key("\xc3\xa9", 257), testing::HasSubstr("less than or equal to 256"));
  EXPECT_EQ(key("\xf0\x9f\x98\x80", 128), "");
  EXPECT_THAT(key("\xf0\x9f\x98\x80", 129), testing::HasSubstr("less than or equal to 256"));
}

TEST(KinesisConstraints, PrintBlobsByTheirLengthAndTellTheUsualBoundBesideOthers) {
  const auto data = base64_encode(std::string(1'048'577, 'x'));
  EXPECT_EQ(broken("PutRecord", fmt::format(R"({{"StreamName":"s","PartitionKey":"k","Data":"{}"}})", data)), "");
  EXPECT_EQ(broken("PutRecord", fmt::format(R"({{"StreamName":"s","PartitionKey":"","Data":"{}"}})", data)),
            "2 validation errors detected: " VALUE("", "partitionKey") SHORTEST
            "; " VALUE("java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]",
                       "data") "Member must have length less than or equal to 1048576");
  const auto huge = base64_encode(std::string(10'485'761, 'x'));
  EXPECT_EQ(broken("PutRecord", fmt::format(R"({{"StreamName":"s","PartitionKey":"k","Data":"{}"}})", huge)),
            "1 validation error detected: " VALUE("java.nio.HeapByteBuffer[pos=0 lim=10485761 cap=10485761]",
                                                  "data") "Member must have length less than or equal to 10485760");
}

TEST(KinesisConstraints, StopAtTenClauses) {
  std::string records, entries;
  for (int i = 0; i < 501; ++i) {
    records += (i > 0 ? "," : "") + std::string(R"({"PartitionKey":"","Data":""})");
    entries += (i > 0 ? ", " : "") + std::string("com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310");
  }
  std::string expected =
      "10 validation errors detected: Value '[" + entries +
      "]' at 'records' failed to satisfy constraint: Member must have length less than or equal to 500";
  for (int i = 1; i < 10; ++i) {
    expected +=
        fmt::format("; Value '' at 'records.{}.member.partitionKey' failed to satisfy constraint: " SHORTEST, i);
  }
  EXPECT_EQ(broken("PutRecords", R"({"StreamName":"","Records":[)" + records + "]}"), expected);
}

TEST(KinesisPatterns, MatchWholeTexts) {
  struct Case {
    Pattern pattern;
    std::string text;
    bool fits;
  };
  const std::string arn = "arn:aws:kinesis:us-east-1:123456789012:stream/";
  const Case cases[] = {
      {Pattern::kName, "a.B_0-", true},
      {Pattern::kName, "a/b", false},
      {Pattern::kName, "", false},
      {Pattern::kSequenceNumber, "0", true},
      {Pattern::kSequenceNumber, "00", false},
      {Pattern::kSequenceNumber, "1" + std::string(128, '0'), true},
      {Pattern::kSequenceNumber, "1" + std::string(129, '0'), false},
      {Pattern::kHashKey, std::string(39, '9'), true},
      {Pattern::kHashKey, std::string(40, '9'), false},
      {Pattern::kHashKey, "-1", false},
      {Pattern::kStreamArn, arn + "s", true},
      {Pattern::kStreamArn, arn, false},
      {Pattern::kStreamArn, arn + "a b", false},
      {Pattern::kStreamArn, "arn:aws-cn:kinesis:x:123456789012:stream/s", true},
      {Pattern::kStreamArn, "arn:aws:kinesis:123456789012:stream/s", false},
      {Pattern::kStreamArn, "arn:aws:kinesis::123456789012:stream/s", true},
      {Pattern::kStreamArn, "arn:aws:kinesis:r:12345678901:stream/s", false},
      {Pattern::kStreamArn, "arn:aws:s3:r:123456789012:stream/s", false},
      {Pattern::kStreamArn, "arn:aws:kinesis:a b:stream/x:123456789012:stream/s", true},
      {Pattern::kStreamArn, "arn:aws:kinesis:a\nb:123456789012:stream/s", false},
      {Pattern::kConsumerArn, arn + "s/consumer/c:1", true},
      {Pattern::kConsumerArn, arn + "s/consumer/c", false},
      {Pattern::kConsumerArn, arn + "s/consumer/c:1x", false},
      {Pattern::kConsumerArn, arn + "/consumer/c:1", false},
      {Pattern::kConsumerArn, "arn:aws:kinesis:r:123456789012:my-stream/s/consumer/c:17", true},
      {Pattern::kResourceArn, arn + "s", true},
      {Pattern::kResourceArn, arn + "s/consumer/c:1", true},
      {Pattern::kResourceArn, "arn:aws:kinesis:r:123456789012:table/s", false},
      {Pattern::kResourceArn, "arn:aws:kinesis:r:1234:stream/s", false},
  };
  for (const auto& [pattern, text, fits] : cases) EXPECT_EQ(matches(pattern, text), fits) << text;
}

TEST(KinesisShapes, HoldAllOperations) {
  EXPECT_EQ(operations().size(), 39U);
  for (const auto& operation : operations()) EXPECT_EQ(find_operation(operation.name), &operation);
  EXPECT_EQ(find_operation("ListStream"), nullptr);
  EXPECT_EQ(find_operation(""), nullptr);
  EXPECT_EQ(find_operation("Zzz"), nullptr);
}

}  // namespace
}  // namespace pinflow::doors::kinesis
