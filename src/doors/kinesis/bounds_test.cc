// What is said of a body that does not fit its shape: every type sent for another, every bound a step behind it, all that
// is missing.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kinesis/input.h"

namespace pinflow::doors::kinesis {
namespace {

using testing::HasSubstr;

// ---- Types: each one expected against each one sent.

#define NUMBER "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to "
#define BOOLEAN "class java.lang.Boolean can not be converted to "
#define STRING "class java.lang.String can not be converted to "
constexpr std::string_view kList = "Start of list found where not expected";
constexpr std::string_view kStructure = "Start of structure or map found where not expected.";

struct TypeRow {
  std::string_view operation;
  std::string_view member;
  std::string_view boolean, string, number, list, structure;  // What is said of each; empty: it fits.
};
constexpr TypeRow kTypes[] = {
    {"CreateStream", "StreamName", BOOLEAN "an String", "", NUMBER "an String", kList, kStructure},
    {"DescribeStream", "Limit", BOOLEAN "an Integer", STRING "an Integer", "", kList, kStructure},
    {"DeleteStream", "EnforceConsumerDeletion", "", "'TEXT' can not be converted to an Boolean", NUMBER "an Boolean",
     kList, kStructure},
    {"PutRecord", "Data", BOOLEAN "a Blob", "", NUMBER "a Blob", kList, kStructure},
    {"GetShardIterator", "Timestamp", BOOLEAN "milliseconds since epoch", STRING "milliseconds since epoch", "", kList,
     kStructure},
    {"RemoveTagsFromStream", "TagKeys", "Expected list or null", "Expected list or null", "Expected list or null", "",
     kStructure},
    {"AddTagsToStream", "Tags", "Expected map or null", "Expected map or null", "Expected map or null", kList, ""},
    {"CreateStream", "StreamModeDetails", "Expected null", "Expected null", "Expected null", kList, ""},
};
#undef NUMBER
#undef BOOLEAN
#undef STRING

std::string mismatch_of(std::string_view operation, std::string_view body) {
  const auto input = read_json(body, &find_operation(operation)->input);
  EXPECT_TRUE(input.parsed) << body;
  return input.mismatch.value_or("");
}

TEST(KinesisShapeBounds, NamesEveryTypeThatIsSentForAnother) {
  for (const TypeRow& row : kTypes) {
    const std::pair<std::string_view, std::string_view> sent[] = {{"true", row.boolean}, {R"("text")", row.string},
                                                                  {"34.56", row.number}, {"[]", row.list},
                                                                  {"{}", row.structure}, {"null", ""}};
    for (const auto& [value, message] : sent)
      EXPECT_EQ(mismatch_of(row.operation, fmt::format(R"({{"{}":{}}})", row.member, value)), message)
          << row.operation << ' ' << row.member << ' ' << value;
  }
  EXPECT_EQ(mismatch_of("PutRecord", R"({"Data":"YQ=a"})"),
            "'YQ=a' can not be converted to a Blob: Invalid Base64 character: '='");
}

// ---- Bounds: each member's, a step behind it. "{}" in a body and in a value stands for the text of a length.

std::string broken(std::string_view operation, std::string_view body) {
  const auto& shape = find_operation(operation)->input;
  const auto input = read_json(body, &shape);
  EXPECT_TRUE(input.parsed && !input.mismatch) << body << ' ' << input.mismatch.value_or("");
  return broken_constraints(shape, input.value).value_or("");
}

std::string one_error(std::string_view value, std::string_view path, std::string_view constraint) {
  return fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: {}", value, path,
                     constraint);
}

struct LengthRow {
  std::string_view operation;
  std::string_view before;
  std::string_view after;
  std::string_view path;
  std::size_t most;
};
constexpr LengthRow kLengths[] = {
    {"CreateStream", R"({"StreamName":")", R"("})", "streamName", 128},
    {"GetShardIterator", R"({"StreamName":"s","ShardIteratorType":"LATEST","ShardId":")", R"("})", "shardId", 128},
    {"GetRecords", R"({"ShardIterator":")", R"("})", "shardIterator", 512},
    {"PutRecord", R"({"StreamName":"s","Data":"","PartitionKey":")", R"("})", "partitionKey", 256},
    {"PutRecords", R"({"StreamName":"s","Records":[{"Data":"","PartitionKey":"k"},{"Data":"","PartitionKey":")",
     R"("}]})", "records.2.member.partitionKey", 256},
    {"RegisterStreamConsumer", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s","ConsumerName":")",
     R"("})", "consumerName", 128},
    {"StartStreamEncryption", R"({"StreamName":"s","EncryptionType":"KMS","KeyId":")", R"("})", "keyId", 2048},
};

TEST(KinesisShapeBounds, HoldsTextsToTheirLengths) {
  for (const auto& [operation, before, after, path, most] : kLengths) {
    const auto with = [&](std::size_t length) {
      return broken(operation, fmt::format("{}{}{}", before, std::string(length, 'a'), after));
    };
    EXPECT_EQ(with(1), "") << operation;
    EXPECT_EQ(with(most), "") << operation;
    EXPECT_EQ(with(most + 1), one_error(std::string(most + 1, 'a'), path,
                                        fmt::format("Member must have length less than or equal to {}", most)))
        << operation;
  }
  EXPECT_EQ(broken("GetRecords", R"({"ShardIterator":""})"),
            one_error("", "shardIterator", "Member must have length greater than or equal to 1"));
}

struct RangeRow {
  std::string_view operation;
  std::string_view before;
  std::string_view after;
  std::string_view path;
  std::int64_t least;
  std::int64_t most;  // 0: none.
};
constexpr RangeRow kRanges[] = {
    {"CreateStream", R"({"StreamName":"s","ShardCount":)", "}", "shardCount", 1, 0},
    {"CreateStream", R"({"StreamName":"s","MaxRecordSizeInKiB":)", "}", "maxRecordSizeInKiB", 1024, 10240},
    {"DescribeStream", R"({"StreamName":"s","Limit":)", "}", "limit", 1, 10000},
    {"GetRecords", R"({"ShardIterator":"x","Limit":)", "}", "limit", 1, 10000},
    {"ListShards", R"({"StreamName":"s","MaxResults":)", "}", "maxResults", 1, 10000},
    {"ListStreams", R"({"Limit":)", "}", "limit", 1, 10000},
    {"ListTagsForStream", R"({"StreamName":"s","Limit":)", "}", "limit", 1, 50},
    {"UpdateShardCount", R"({"StreamName":"s","ScalingType":"UNIFORM_SCALING","TargetShardCount":)", "}",
     "targetShardCount", 1, 0},
};

TEST(KinesisShapeBounds, HoldsNumbersToTheirRanges) {
  for (const auto& [operation, before, after, path, least, most] : kRanges) {
    const auto with = [&](std::int64_t number) {
      return broken(operation, fmt::format("{}{}{}", before, number, after));
    };
    EXPECT_EQ(with(least), "") << operation;
    EXPECT_EQ(with(least - 1), one_error(fmt::to_string(least - 1), path,
                                         fmt::format("Member must have value greater than or equal to {}", least)));
    if (most == 0) continue;
    EXPECT_EQ(with(most), "") << operation;
    EXPECT_EQ(with(most + 1), one_error(fmt::to_string(most + 1), path,
                                        fmt::format("Member must have value less than or equal to {}", most)));
  }
}

TEST(KinesisShapeBounds, HoldsMapsListsPatternsAndNames) {
  const std::string long_key(129, 'k');
  const std::string long_value(257, 'v');
  EXPECT_EQ(broken("AddTagsToStream", fmt::format(R"({{"StreamName":"s","Tags":{{"{}":"v"}}}})", long_key)),
            one_error(fmt::format("{{{}=v}}", long_key), "tags",
                      "Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member "
                      "must have length greater than or equal to 1]"));
  EXPECT_EQ(broken("AddTagsToStream", fmt::format(R"({{"StreamName":"s","Tags":{{"k":"{}"}}}})", long_value)),
            one_error(fmt::format("{{k={}}}", long_value), "tags",
                      "Map value must satisfy constraint: [Member must have length less than or equal to 256, Member "
                      "must have length greater than or equal to 0]"));
  std::string keys;
  for (int i = 0; i < 51; ++i) keys += fmt::format(R"({}"k{}")", i == 0 ? "" : ",", i);
  EXPECT_THAT(broken("RemoveTagsFromStream", fmt::format(R"({{"StreamName":"s","TagKeys":[{}]}})", keys)),
              HasSubstr("at 'tagKeys' failed to satisfy constraint: Member must have length less than or equal to 50"));
  std::string tags;
  for (int i = 0; i < 201; ++i) tags += fmt::format(R"({}"k{}":"v")", i == 0 ? "" : ",", i);
  EXPECT_THAT(broken("AddTagsToStream", fmt::format(R"({{"StreamName":"s","Tags":{{{}}}}})", tags)),
              HasSubstr("at 'tags' failed to satisfy constraint: Member must have length less than or equal to 200"));
  EXPECT_EQ(
      broken("SplitShard", R"({"StreamName":"s","ShardToSplit":"0","NewStartingHashKey":"01"})"),
      one_error("01", "newStartingHashKey", "Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})"));
  EXPECT_EQ(
      broken("CreateStream", R"({"StreamName":"s","StreamModeDetails":{"StreamMode":"x"}})"),
      one_error("x", "streamModeDetails.streamMode", "Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]"));
  EXPECT_EQ(broken("UpdateShardCount", R"({"StreamName":"s","TargetShardCount":1,"ScalingType":"X"})"),
            one_error("X", "scalingType", "Member must satisfy enum value set: [UNIFORM_SCALING]"));
  EXPECT_EQ(broken("DescribeStream", R"({"StreamARN":"arn:aws:s3:::s"})"),
            one_error("arn:aws:s3:::s", "streamARN",
                      "Member must satisfy regular expression pattern: arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+"));
}

// What must be there, of each operation; a stream by its name or its ARN.
struct RequiredRow {
  std::string_view operation;
  std::vector<std::string_view> paths;
};

TEST(KinesisShapeBounds, NamesAllThatIsMissing) {
  const RequiredRow rows[] = {
      {"AddTagsToStream", {"tags", "streamName"}},
      {"CreateStream", {"streamName"}},
      {"DecreaseStreamRetentionPeriod", {"retentionPeriodHours", "streamName"}},
      {"DeleteResourcePolicy", {"resourceARN"}},
      {"DeleteStream", {"streamName"}},
      {"DescribeStream", {"streamName"}},
      {"DescribeStreamSummary", {"streamName"}},
      {"EnableEnhancedMonitoring", {"shardLevelMetrics", "streamName"}},
      {"GetRecords", {"shardIterator"}},
      {"GetResourcePolicy", {"resourceARN"}},
      {"GetShardIterator", {"shardId", "shardIteratorType", "streamName"}},
      {"ListStreamConsumers", {"streamARN"}},
      {"ListTagsForResource", {"resourceARN"}},
      {"ListTagsForStream", {"streamName"}},
      {"MergeShards", {"shardToMerge", "adjacentShardToMerge", "streamName"}},
      {"PutRecord", {"partitionKey", "data", "streamName"}},
      {"PutRecords", {"records", "streamName"}},
      {"PutResourcePolicy", {"resourceARN", "policy"}},
      {"RegisterStreamConsumer", {"streamARN", "consumerName"}},
      {"RemoveTagsFromStream", {"tagKeys", "streamName"}},
      {"SplitShard", {"shardToSplit", "newStartingHashKey", "streamName"}},
      {"StartStreamEncryption", {"encryptionType", "keyId", "streamName"}},
      {"SubscribeToShard", {"consumerARN", "shardId", "startingPosition"}},
      {"TagResource", {"tags", "resourceARN"}},
      {"UntagResource", {"tagKeys", "resourceARN"}},
      {"UpdateMaxRecordSize", {"maxRecordSizeInKiB"}},
      {"UpdateShardCount", {"targetShardCount", "scalingType", "streamName"}},
      {"UpdateStreamMode", {"streamARN", "streamModeDetails"}},
      {"UpdateStreamWarmThroughput", {"warmThroughputMiBps", "streamName"}},
  };
  for (const auto& [operation, paths] : rows) {
    const std::string message = broken(operation, "{}");
    EXPECT_THAT(message, testing::StartsWith(fmt::format("{} validation error{} detected: ", paths.size(),
                                                         paths.size() == 1 ? "" : "s")));
    for (const auto path : paths)
      EXPECT_THAT(message, HasSubstr(fmt::format(
                               "Value null at '{}' failed to satisfy constraint: Member must not be null", path)))
          << operation;
  }
  for (const auto* const operation : {"ListStreams", "ListShards", "DescribeLimits", "DescribeAccountSettings"})
    EXPECT_EQ(broken(operation, "{}"), "") << operation;
}

}  // namespace
}  // namespace pinflow::doors::kinesis
