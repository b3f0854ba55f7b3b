// The rows of AWS's behaviour that are tables by nature: faults of calls, quotas, pages, rates. What a call does when it is
// right is held by the tests beside this one.

#include "doors/kinesis/operations_fixture.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::size_t count_of(std::string_view part, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size()) ++count;
  return count;
}

Value list_of(std::vector<Value> values) {
  return Value(Value::List(std::move(values)));
}

// ---- Faults of calls.

class KinesisContract : public KinesisTest {
 protected:
  struct Row {
    std::string_view operation;
    std::vector<std::pair<std::string_view, Value>> members;
    std::string_view answer;
  };
  void expect_answers(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      Value::Structure members;
      for (const auto& [name, value] : row.members) members.emplace_back(name, value);
      EXPECT_EQ(kinesis_->ask_value(row.operation, Value(std::move(members))), row.answer) << row.operation;
    }
  }
  // A stream of this name.
  static std::pair<std::string_view, Value> named(std::string_view name) { return {"StreamName", text(name)}; }
  static Value arn() { return text("arn:aws:kinesis:us-east-1:000000000000:stream/s"); }
};

TEST_F(KinesisContract, KnowsOnDemandStreams) {
  const auto mode = [](std::string_view name) { return structure({{"StreamMode", text(name)}}); };
  expect_answers({
      {"CreateStream", {named("o")}, ""},
      {"CreateStream", {named("d"), {"StreamModeDetails", mode("ON_DEMAND")}}, ""},
      {"CreateStream",
       {named("p"), {"StreamModeDetails", mode("PROVISIONED")}},
       "ValidationException 400: ShardCount must be specified when the stream mode is PROVISIONED."},
      {"CreateStream",
       {named("p"), {"StreamModeDetails", mode("ON_DEMAND")}, {"ShardCount", number(2)}},
       "ValidationException 400: ShardCount must not be specified when the stream mode is ON_DEMAND."},
  });
  kinesis_->pass(1s);
  for (const auto* const name : {"o", "d"}) {
    EXPECT_THAT(kinesis_->describe(name), HasSubstr(R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"})"));
    EXPECT_EQ(log_.topic(name)->partitions, 4) << name;
  }
  constexpr std::string_view kRefused =
      "ValidationException 400: Request is invalid. Stream o under account 000000000000 is in On-Demand mode.";
  expect_answers({
      {"SplitShard", {named("o"), {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}}, kRefused},
      {"MergeShards", {named("o"), {"ShardToMerge", text("0")}, {"AdjacentShardToMerge", text("1")}}, kRefused},
      {"UpdateShardCount", {named("o"), {"TargetShardCount", number(5)}}, kRefused},
      {"DescribeLimits",
       {},
       R"({"ShardLimit":500,"OpenShardCount":8,"OnDemandStreamCount":2,"OnDemandStreamCountLimit":50})"},
      {"UpdateStreamWarmThroughput",
       {named("o"), {"WarmThroughputMiBps", number(7)}},
       R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/o","StreamName":"o","WarmThroughput":)"
       R"({"TargetMiBps":7,"CurrentMiBps":7}})"},
  });
}

TEST_F(KinesisContract, SaysOfAStreamThatIsMadeWhatCannotBeDoneWithIt) {
  kinesis_->ask("CreateStream", {named("s"), {"ShardCount", number(2)}});
  constexpr std::string_view kNotFound =
      "ResourceNotFoundException 400: Stream s under account 000000000000 not found.";
  constexpr std::string_view kNotActive =
      "ResourceInUseException 400: Stream s under account 000000000000 not ACTIVE, instead in state CREATING";
  expect_answers({
      {"PutRecord", {named("s"), {"PartitionKey", text("a")}, {"Data", text("x")}}, kNotFound},
      {"PutRecords", {named("s"), {"Records", list_of({record("a", "x")})}}, kNotFound},
      {"SplitShard", {named("s"), {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}}, kNotActive},
      {"MergeShards", {named("s"), {"ShardToMerge", text("0")}, {"AdjacentShardToMerge", text("1")}}, kNotActive},
      {"UpdateShardCount", {named("s"), {"TargetShardCount", number(2)}}, kNotActive},
      {"RegisterStreamConsumer", {{"StreamARN", arn()}, {"ConsumerName", text("c")}}, kNotActive},
      {"StartStreamEncryption", {named("s"), {"KeyId", text("k")}}, kNotActive},
      {"UpdateMaxRecordSize", {{"StreamARN", arn()}, {"MaxRecordSizeInKiB", number(2048)}}, kNotActive},
  });
  EXPECT_EQ(log_.produce_calls(), 0U);
}

TEST_F(KinesisContract, SaysThatAStreamIsNotThereWhateverIsAskedOfIt) {
  constexpr std::string_view kNotFound =
      "ResourceNotFoundException 400: Stream s under account 000000000000 not found.";
  const auto no_keys = [] { return texts({"a"}); };
  expect_answers({
      {"AddTagsToStream", {named("s"), {"Tags", tags({{"a", "b"}})}}, kNotFound},
      {"DecreaseStreamRetentionPeriod", {named("s"), {"RetentionPeriodHours", number(24)}}, kNotFound},
      {"DeleteResourcePolicy", {{"ResourceARN", arn()}}, kNotFound},
      {"DeleteStream", {named("s")}, kNotFound},
      {"DescribeStream", {named("s")}, kNotFound},
      {"DescribeStream", {{"StreamARN", arn()}}, kNotFound},
      {"DescribeStreamConsumer", {{"StreamARN", arn()}, {"ConsumerName", text("c")}}, kNotFound},
      {"DescribeStreamSummary", {named("s")}, kNotFound},
      {"EnableEnhancedMonitoring", {named("s"), {"ShardLevelMetrics", texts({"ALL"})}}, kNotFound},
      {"GetResourcePolicy", {{"ResourceARN", arn()}}, kNotFound},
      {"ListShards", {named("s")}, kNotFound},
      {"ListStreamConsumers", {{"StreamARN", arn()}}, kNotFound},
      {"ListTagsForResource", {{"ResourceARN", arn()}}, kNotFound},
      {"ListTagsForStream", {named("s")}, kNotFound},
      {"MergeShards", {named("s"), {"ShardToMerge", text("0")}, {"AdjacentShardToMerge", text("1")}}, kNotFound},
      {"PutRecord", {named("s"), {"PartitionKey", text("a")}, {"Data", text("x")}}, kNotFound},
      {"PutRecords", {named("s"), {"Records", list_of({record("a", "x")})}}, kNotFound},
      {"RegisterStreamConsumer", {{"StreamARN", arn()}, {"ConsumerName", text("c")}}, kNotFound},
      {"RemoveTagsFromStream", {named("s"), {"TagKeys", no_keys()}}, kNotFound},
      {"SplitShard", {named("s"), {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}}, kNotFound},
      {"UntagResource", {{"ResourceARN", arn()}, {"TagKeys", no_keys()}}, kNotFound},
      {"UpdateShardCount", {named("s"), {"TargetShardCount", number(2)}}, kNotFound},
      {"GetShardIterator",
       {named("s"), {"ShardId", text("0")}, {"ShardIteratorType", text("LATEST")}},
       "ResourceNotFoundException 400: Shard shardId-000000000000 in stream s under account 000000000000 does not "
       "exist"},
  });
}

TEST_F(KinesisContract, RefusesIteratorsInAwsWords) {
  kinesis_->create("s", 1);
  const std::string number = between(kinesis_->put("s", "k", "x"), "Number\":\"", "\"");
  const auto now = clock_.now();
  constexpr std::string_view kEither =
      "InvalidArgumentException 400: Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
      "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ";
  const auto row = [&](std::string_view type, std::optional<std::string_view> start, std::string_view end) {
    Value::Structure members;
    members.emplace_back("StreamName", text("s"));
    members.emplace_back("ShardId", text("0"));
    members.emplace_back("ShardIteratorType", text(type));
    if (start) members.emplace_back("StartingSequenceNumber", text(*start));
    EXPECT_EQ(kinesis_->ask_value("GetShardIterator", Value(std::move(members))),
              std::string(kEither) + std::string(end));
  };
  row("AT_SEQUENCE_NUMBER", std::nullopt, "AT_SEQUENCE_NUMBER and no StartingSequenceNumber.");
  row("AFTER_SEQUENCE_NUMBER", std::nullopt, "AFTER_SEQUENCE_NUMBER and no StartingSequenceNumber.");
  row("LATEST", number, "LATEST and also a StartingSequenceNumber.");
  row("TRIM_HORIZON", number, "TRIM_HORIZON and also a StartingSequenceNumber.");
  EXPECT_EQ(kinesis_->ask("GetShardIterator", {named("s"),
                                               {"ShardId", text("0")},
                                               {"ShardIteratorType", text("AT_TIMESTAMP")},
                                               {"Timestamp", Value(now + 1ms)}}),
            fmt::format("InvalidArgumentException 400: The timestampInMillis parameter cannot be greater than the "
                        "currentTimestampInMillis. timestampInMillis: {}, currentTimestampInMillis: {}",
                        now.time_since_epoch().count() + 1, now.time_since_epoch().count()));
}

TEST_F(KinesisContract, GivesAtMostTenThousandRecordsAndTenMebibytes) {
  kinesis_->create("many", 1);
  log_.append("many", 0, std::vector<log::MemoryLog::Value>(10'001, "x"));
  const std::string first = kinesis_->get(kinesis_->iterator("many", "0"));
  EXPECT_EQ(count_of("\"Data\":", first), 10'000U);
  EXPECT_EQ(count_of("\"Data\":", kinesis_->get(between(first, "NextShardIterator\":\"", "\""))), 1U);
  kinesis_->create("large", 1);
  log_.append("large", 0, std::vector<log::MemoryLog::Value>(12, std::string(1 << 20, 'x')));
  EXPECT_EQ(count_of("\"Data\":", kinesis_->get(kinesis_->iterator("large", "0"))), 10U);
}

TEST_F(KinesisContract, RefusesACallOfRecordsAsAWhole) {
  kinesis_->create("s", 1);
  EXPECT_EQ(
      kinesis_->ask(
          "PutRecords",
          {named("s"),
           {"Records", list_of({record("a", "1"),
                                structure({{"PartitionKey", text("a")},
                                           {"Data", text("2")},
                                           {"ExplicitHashKey", text("340282366920938463463374607431768211456")}})})}}),
      "InvalidArgumentException 400: Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, "
      "2^128-1]. Specified value was 340282366920938463463374607431768211456");
  std::vector<Value> records(10, record("k", std::string((1 << 20) - 1, 'x')));
  records.push_back(record("k", ""));
  EXPECT_EQ(kinesis_->ask("PutRecords", {named("s"), {"Records", list_of(records)}}),
            "InvalidArgumentException 400: Records size exceeds 10 MB limit");
  EXPECT_TRUE(log_.records("s").empty());
  records.pop_back();
  EXPECT_THAT(kinesis_->ask("PutRecords", {named("s"), {"Records", list_of(std::move(records))}}),
              HasSubstr(R"("FailedRecordCount":0)"));
}

TEST_F(KinesisContract, TakesForOrderingOnlyNumbersThatWereGiven) {
  kinesis_->create("s", 1);
  const auto put = [&](std::string_view after) {
    return kinesis_->ask(
        "PutRecord",
        {named("s"), {"PartitionKey", text("k")}, {"Data", text("x")}, {"SequenceNumberForOrdering", text(after)}});
  };
  const std::string good = between(kinesis_->put("s", "k", "x"), "Number\":\"", "\"");
  EXPECT_THAT(put(good), HasSubstr("SequenceNumber"));
  auto number = *parse_sequence_number(good);
  number.arrived += 1s;
  const std::string future(SequenceText(number).view());
  EXPECT_EQ(put(future),
            fmt::format("InvalidArgumentException 400: ExclusiveMinimumSequenceNumber {} used in PutRecord "
                        "on stream s under account 000000000000 is invalid.",
                        future));
}

TEST_F(KinesisContract, ChangesShardsOnlyWithinTheirBounds) {
  kinesis_->create("s", 1);
  const auto split = [&](std::string_view at) {
    return kinesis_->ask("SplitShard", {named("s"), {"ShardToSplit", text("0")}, {"NewStartingHashKey", text(at)}});
  };
  const auto refused = [](std::string_view at) {
    return fmt::format(
        "InvalidArgumentException 400: NewStartingHashKey {} used in SplitShard() on shard shardId-000000000000 in "
        "stream s under account 000000000000 is not both greater than one plus the shard's StartingHashKey 0 and less "
        "than the shard's EndingHashKey 340282366920938463463374607431768211455.",
        at);
  };
  for (const auto* const at : {"0", "1", "340282366920938463463374607431768211455"}) EXPECT_EQ(split(at), refused(at));
  EXPECT_EQ(split("340282366920938463463374607431768211454"), "");
  kinesis_->pass(1s);
  const auto merge = [&](std::string_view lower, std::string_view upper) {
    return kinesis_->ask("MergeShards",
                         {named("s"), {"ShardToMerge", text(lower)}, {"AdjacentShardToMerge", text(upper)}});
  };
  EXPECT_EQ(merge("0", "1"),
            "InvalidArgumentException 400: Shard shardId-000000000000 in stream s under account 000000000000 has "
            "already been merged or split, and thus is not eligible for merging or splitting.");
  EXPECT_EQ(merge("1", "9"),
            "ResourceNotFoundException 400: Could not find shard shardId-000000000009 in stream s under account "
            "000000000000.");
  EXPECT_EQ(merge("x-y", "1"),
            "ResourceNotFoundException 400: Could not find shard x-y in stream s under account 000000000000.");
  EXPECT_EQ(merge("1", "2"), "");
}

TEST_F(KinesisContract, HoldsAllThatMakesShardsToTheQuota) {
  restart({.shard_limit = 2});
  kinesis_->create("s", 2);
  const auto refused = [](int more) {
    return fmt::format(
        "LimitExceededException 400: This request would exceed the shard limit for the account 000000000000 in "
        "us-east-1. Current shard count for the account: 2. Limit: 2. Number of additional shards that would have "
        "resulted from this request: {}. Refer to the AWS Service Limits page "
        "(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to request "
        "higher limits.",
        more);
  };
  const std::string one = refused(1);
  const std::string four = refused(4);
  expect_answers({
      {"CreateStream", {named("x"), {"ShardCount", number(1)}}, one},
      {"CreateStream", {named("x")}, four},
      {"SplitShard", {named("s"), {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}}, one},
      {"UpdateShardCount", {named("s"), {"TargetShardCount", number(3)}}, one},
  });
  EXPECT_EQ(
      kinesis_->ask("MergeShards", {named("s"), {"ShardToMerge", text("0")}, {"AdjacentShardToMerge", text("1")}}), "");
}

// ---- Lists in pages.

TEST_F(KinesisContract, DescribesAHundredShardsAtATime) {
  (void)log_.create_topic({"s", 150, {}});
  const auto shards = [&](std::initializer_list<std::pair<std::string_view, Value>> more) {
    Value::Structure members;
    members.emplace_back("StreamName", text("s"));
    for (const auto& [name, value] : more) members.emplace_back(name, value);
    const std::string body = kinesis_->ask_value("DescribeStream", Value(std::move(members)));
    return fmt::format("{} {}", count_of("\"ShardId\":", body), between(body, "\"HasMoreShards\":", "}"));
  };
  EXPECT_EQ(shards({}), "100 true");
  EXPECT_EQ(shards({{"Limit", number(10'000)}}), "100 true");
  EXPECT_EQ(shards({{"Limit", number(2)}}), "2 true");
  EXPECT_EQ(shards({{"ExclusiveStartShardId", text("shardId-000000000049")}}), "100 false");
  EXPECT_EQ(shards({{"ExclusiveStartShardId", text("shardId-000000000148")}}), "1 false");
  EXPECT_EQ(shards({{"ExclusiveStartShardId", text("shardId-000000000149")}}), "0 false");
}

TEST_F(KinesisContract, ListsAHundredStreamsAtATimeWithTheirSummaries) {
  for (int i = 0; i < 101; ++i) (void)log_.create_topic({fmt::format("s{:03}", i), 1, {}});
  const std::string body = kinesis_->ask("ListStreams", {});
  EXPECT_EQ(count_of("\"StreamARN\":", body), 100U);
  EXPECT_THAT(body, HasSubstr(R"("HasMoreStreams":true)"));
  EXPECT_THAT(body, HasSubstr(R"("StreamSummaries":[{"StreamName":"s000","StreamARN":)"
                              R"("arn:aws:kinesis:us-east-1:000000000000:stream/s000","StreamStatus":"ACTIVE",)"
                              R"("StreamModeDetails":{"StreamMode":"PROVISIONED"},"StreamCreationTimestamp":)"
                              R"(1700000000.000})"));
  EXPECT_EQ(kinesis_->ask("ListStreams", {{"NextToken", text("?")}}),
            "InvalidArgumentException 400: Invalid NextToken.");
}

TEST_F(KinesisContract, ListsAThousandShardsAtATime) {
  (void)log_.create_topic({"s", 1'001, {}});
  const std::string all = kinesis_->ask("ListShards", {named("s"), {"MaxResults", number(10'000)}});
  EXPECT_EQ(count_of("\"ShardId\":", all), 1'000U);
  const std::string token = between(all, "\"NextToken\":\"", "\"");
  const std::string rest = kinesis_->ask("ListShards", {{"NextToken", text(token)}});
  EXPECT_EQ(count_of("\"ShardId\":", rest), 1U);
  EXPECT_THAT(rest, Not(HasSubstr("NextToken")));
  expect_answers({
      {"ListShards",
       {{"NextToken", text(token)}, {"StreamARN", arn()}},
       "InvalidArgumentException 400: NextToken and StreamName cannot be provided together."},
      {"ListShards",
       {{"NextToken", text(token)}, {"ExclusiveStartShardId", text("0")}},
       "InvalidArgumentException 400: NextToken and ExclusiveStartShardId cannot be provided together."},
      {"ListShards",
       {{"NextToken", text(token)}, {"StreamCreationTimestamp", Value(clock_.now())}},
       "InvalidArgumentException 400: NextToken and StreamCreationTimestamp cannot be provided together."},
      {"ListShards", {{"NextToken", text("x")}}, "InvalidArgumentException 400: Invalid NextToken."},
      {"ListShards",
       {named("s"), {"ShardFilter", structure({{"Type", text("AFTER_SHARD_ID")}})}},
       "InvalidArgumentException 400: ShardId must be specified when ShardFilter's Type is AFTER_SHARD_ID."},
      {"ListShards",
       {named("s"), {"ShardFilter", structure({{"Type", text("AT_TIMESTAMP")}})}},
       "InvalidArgumentException 400: Timestamp must be specified when ShardFilter's Type is AT_TIMESTAMP or "
       "FROM_TIMESTAMP."},
      {"ListShards",
       {named("s"), {"StreamCreationTimestamp", Value(clock_.now() + 5s)}},
       "ResourceNotFoundException 400: Stream s under account 000000000000 not found."},
  });
  clock_.advance(300s);
  EXPECT_THAT(kinesis_->ask("ListShards", {{"NextToken", text(token)}}), HasSubstr("\"Shards\""));
  clock_.advance(1ms);
  EXPECT_THAT(kinesis_->ask("ListShards", {{"NextToken", text(token)}}), HasSubstr("ExpiredNextTokenException 400: "));
}

// ---- Consumers, tags, policies, settings.

TEST_F(KinesisContract, HasTwentyConsumersOfAStreamInPages) {
  kinesis_->create("s", 1);
  const auto consumer = [&](int i) {
    return kinesis_->ask("RegisterStreamConsumer",
                         {{"StreamARN", arn()}, {"ConsumerName", text(fmt::format("c{:02}", i))}});
  };
  for (int i = 0; i < 20; ++i) EXPECT_THAT(consumer(i), HasSubstr(R"({"Consumer":{"ConsumerName":)"));
  EXPECT_THAT(consumer(20), HasSubstr("LimitExceededException 400: "));
  EXPECT_THAT(consumer(7), HasSubstr("ResourceInUseException 400: "));
  const std::string page = kinesis_->ask("ListStreamConsumers", {{"StreamARN", arn()}, {"MaxResults", number(19)}});
  EXPECT_EQ(count_of("\"ConsumerName\":", page), 19U);
  const std::string rest = kinesis_->ask(
      "ListStreamConsumers", {{"StreamARN", arn()}, {"NextToken", text(between(page, "\"NextToken\":\"", "\""))}});
  EXPECT_THAT(rest, HasSubstr(R"({"Consumers":[{"ConsumerName":"c19",)"));
  EXPECT_THAT(rest, Not(HasSubstr("NextToken")));
  EXPECT_THAT(kinesis_->ask("DescribeStreamConsumer", {{"StreamARN", arn()}, {"ConsumerName", text("c03")}}),
              HasSubstr(R"({"ConsumerDescription":{"ConsumerName":"c03",)"));
  EXPECT_EQ(kinesis_->ask("DeregisterStreamConsumer", {{"StreamARN", arn()}, {"ConsumerName", text("c03")}}), "");
  EXPECT_EQ(kinesis_->ask("DescribeStreamConsumer", {{"StreamARN", arn()}, {"ConsumerName", text("c03")}}),
            "ResourceNotFoundException 400: Consumer c03 of stream s under account 000000000000 not found.");
  EXPECT_THAT(kinesis_->ask("DescribeStreamSummary", {named("s")}), HasSubstr(R"("ConsumerCount":19)"));
  EXPECT_THAT(kinesis_->ask("DeleteStream", {named("s"), {"EnforceConsumerDeletion", Value(false)}}),
              HasSubstr("ResourceInUseException 400: "));
  EXPECT_EQ(kinesis_->ask("DeleteStream", {named("s"), {"EnforceConsumerDeletion", Value(true)}}), "");
}

TEST_F(KinesisContract, KeepsTagsAndPoliciesOfStreamsByTheirArn) {
  kinesis_->create("s", 1);
  expect_answers({
      {"TagResource", {{"ResourceARN", arn()}, {"Tags", tags({{"b", "2"}, {"a", "1"}})}}, ""},
      {"ListTagsForResource",
       {{"ResourceARN", arn()}},
       R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]})"},
      {"ListTagsForStream",
       {named("s"), {"ExclusiveStartTagKey", text("a")}},
       R"({"Tags":[{"Key":"b","Value":"2"}],"HasMoreTags":false})"},
      {"UntagResource", {{"ResourceARN", arn()}, {"TagKeys", texts({"b", "none"})}}, ""},
      {"ListTagsForResource", {{"ResourceARN", arn()}}, R"({"Tags":[{"Key":"a","Value":"1"}]})"},
      {"PutResourcePolicy", {{"ResourceARN", arn()}, {"Policy", text("{\"p\":1}")}}, ""},
      {"DeleteResourcePolicy", {{"ResourceARN", arn()}}, ""},
      {"GetResourcePolicy", {{"ResourceARN", arn()}}, R"({"Policy":"{}"})"},
      {"RemoveTagsFromStream",
       {named("s"), {"TagKeys", texts({"a%"})}},
       "InvalidArgumentException 400: Failed to remove tags from stream s under account 000000000000 because some "
       "tags contained illegal characters. The allowed characters are Unicode letters, white-spaces, "
       "'_',',','/','=','+','-','@'."},
  });
}

TEST_F(KinesisContract, TellsSettingsOfTheAccount) {
  const auto commitment = [](std::string_view status) { return structure({{"Status", text(status)}}); };
  kinesis_->create("s", 1);
  expect_answers({
      {"DescribeAccountSettings", {}, R"({"MinimumThroughputBillingCommitment":{"Status":"DISABLED"}})"},
      {"UpdateAccountSettings",
       {{"MinimumThroughputBillingCommitment", commitment("ENABLED")}},
       R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}})"},
      {"DescribeAccountSettings", {}, R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}})"},
      {"UpdateStreamWarmThroughput",
       {named("s"), {"WarmThroughputMiBps", number(7)}},
       "ValidationException 400: Request is invalid. Stream s under account 000000000000 is not in On-Demand mode."},
  });
  const std::string summary = kinesis_->ask("DescribeStreamSummary", {named("s")});
  EXPECT_THAT(between(summary, "\"StreamId\":\"", "\""), MatchesRegex("[a-z0-9]{24}"));
  EXPECT_THAT(summary, Not(HasSubstr("\"Shards\"")));
  EXPECT_THAT(summary, HasSubstr(R"("WarmThroughput":{"TargetMiBps":0,"CurrentMiBps":0})"));
}

// ---- Rates, where they are switched on.

TEST_F(KinesisContract, TakesSoManyCallsOfEachKindInASecond) {
  restart({.enforce_limits = true});
  struct RateRow {
    std::string_view operation;
    int calls;
  };
  for (const auto& [operation, calls] :
       {RateRow{"DeleteStream", 5}, RateRow{"SplitShard", 5}, RateRow{"MergeShards", 5}, RateRow{"AddTagsToStream", 5},
        RateRow{"RegisterStreamConsumer", 5}, RateRow{"DescribeStream", 10}, RateRow{"DescribeStreamSummary", 20},
        RateRow{"UpdateShardCount", 10}, RateRow{"ListShards", 1000}, RateRow{"CreateStream", 5}}) {
    const auto call = [&, name = operation] {
      return kinesis_->ask(name, {named("none"),
                                  {"ShardToSplit", text("0")},
                                  {"ShardToMerge", text("0")},
                                  {"AdjacentShardToMerge", text("1")},
                                  {"Tags", tags({})}});
    };
    for (int i = 0; i < calls; ++i) ASSERT_THAT(call(), Not(HasSubstr("Rate exceeded"))) << operation << ' ' << i;
    EXPECT_EQ(call(), "LimitExceededException 400: Rate exceeded for stream none under account 000000000000.")
        << operation;
  }
  for (const auto& [operation, calls] : {RateRow{"ListStreams", 5}, RateRow{"DescribeLimits", 1}}) {
    for (int i = 0; i < calls; ++i) ASSERT_THAT(kinesis_->ask(operation, {}), Not(HasSubstr("Rate exceeded")));
    EXPECT_EQ(kinesis_->ask(operation, {}), "LimitExceededException 400: Rate exceeded for account 000000000000.");
  }
  const auto iterator = [&](std::string_view shard) {
    return kinesis_->ask("GetShardIterator",
                         {named("none"), {"ShardId", text(shard)}, {"ShardIteratorType", text("LATEST")}});
  };
  for (int i = 0; i < 5; ++i) ASSERT_THAT(iterator("0"), HasSubstr("does not exist"));
  EXPECT_EQ(iterator("0"),
            "ProvisionedThroughputExceededException 400: Rate exceeded for shard shardId-000000000000 in stream none "
            "under account 000000000000.");
  EXPECT_THAT(iterator("1"), HasSubstr("does not exist"));
}

TEST_F(KinesisContract, MakesAtMostFiveStreamsAtATime) {
  restart({.change_delay = 1h, .enforce_limits = true});
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(kinesis_->ask("CreateStream", {named(fmt::format("s{}", i)), {"ShardCount", number(1)}}), "");
  clock_.advance(1s);
  EXPECT_EQ(kinesis_->ask("CreateStream", {named("s5"), {"ShardCount", number(1)}}),
            "LimitExceededException 400: This request would exceed the limit of 5 streams in state CREATING for the "
            "account 000000000000.");
}

}  // namespace
}  // namespace pinflow::doors::kinesis
