#include "doors/kinesis/operations_fixture.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kAccountText = "account 000000000000";

TEST_F(KinesisTest, MakesAStreamInSteps) {
  EXPECT_EQ(kinesis_->ask("CreateStream", {{"StreamName", text("s")}, {"ShardCount", number(3)}}), "");
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr(R"("StreamStatus":"CREATING")"));
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr(R"("Shards":[])"));
  EXPECT_EQ(kinesis_->put("s", "a", "x"),
            "ResourceNotFoundException 400: Stream s under account 000000000000 not found.");
  EXPECT_EQ(
      kinesis_->ask("GetShardIterator",
                    {{"StreamName", text("s")}, {"ShardId", text("shard-0")}, {"ShardIteratorType", text("LATEST")}}),
      "ResourceNotFoundException 400: Shard shardId-000000000000 in stream s under account 000000000000 does not "
      "exist");
  EXPECT_EQ(
      kinesis_->ask("SplitShard",
                    {{"StreamName", text("s")}, {"ShardToSplit", text("shard-0")}, {"NewStartingHashKey", text("2")}}),
      "ResourceInUseException 400: Stream s under account 000000000000 not ACTIVE, instead in state CREATING");
  EXPECT_EQ(kinesis_->ask("CreateStream", {{"StreamName", text("s")}, {"ShardCount", number(3)}}),
            "ResourceInUseException 400: Stream s under account 000000000000 already exists.");
  kinesis_->pass(500ms);
  const std::string body = kinesis_->describe("s");
  EXPECT_THAT(body, HasSubstr(R"("StreamStatus":"ACTIVE")"));
  EXPECT_THAT(body, HasSubstr(R"("RetentionPeriodHours":24)"));
  EXPECT_THAT(body, HasSubstr(R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s")"));
  EXPECT_THAT(body, HasSubstr(R"("EnhancedMonitoring":[{"ShardLevelMetrics":[]}],"EncryptionType":"NONE")"));
  EXPECT_THAT(body, HasSubstr(R"("EndingHashKey":"113427455640312821154458202477256070484")"));
  // Two seconds before the call.
  const auto first = parse_sequence_number(between(body, "\"StartingSequenceNumber\":\"", "\""));
  EXPECT_EQ(first->created.time_since_epoch(), 1699999998s);
}

TEST_F(KinesisTest, DeletesAStreamInSteps) {
  kinesis_->create("s", 1);
  kinesis_->put("s", "a", "x");
  const std::string iterator = kinesis_->iterator("s", "0");
  EXPECT_EQ(kinesis_->ask("DeleteStream", {{"StreamName", text("s")}}), "");
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr(R"("StreamStatus":"DELETING")"));
  EXPECT_THAT(kinesis_->get(iterator),
              HasSubstr("ResourceNotFoundException 400: Shard shardId-000000000000 in stream"));
  kinesis_->pass(500ms);
  EXPECT_EQ(kinesis_->describe("s"), "ResourceNotFoundException 400: Stream s under account 000000000000 not found.");
  kinesis_->create("s", 1);
  EXPECT_THAT(kinesis_->get(iterator), HasSubstr("does not exist"));
}

TEST_F(KinesisTest, FinishesAfterARestartWhatWasPromised) {
  kinesis_->ask("CreateStream", {{"StreamName", text("s")}, {"ShardCount", number(1)}});
  restart();
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr("CREATING"));
  kinesis_->pass(500ms);
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr("ACTIVE"));
  kinesis_->ask("DeleteStream", {{"StreamName", text("s")}});
  restart();
  kinesis_->pass(500ms);
  EXPECT_FALSE(log_.topic("s"));
}

TEST_F(KinesisTest, SeesATopicOfKafkaAsAStream) {
  (void)log_.create_topic({"t", 2, {}});
  EXPECT_THAT(kinesis_->put("t", "a", "x"), HasSubstr(R"("ShardId":"shardId-000000000000")"));
  (void)log_.add_partitions("t", 4);
  EXPECT_THAT(kinesis_->describe("t"), HasSubstr("shardId-000000000003"));
  // From the first change through Kinesis on its shards are fixed; what Kafka adds waits for the next split.
  kinesis_->ask("AddTagsToStream", {{"StreamName", text("t")}, {"Tags", tags({{"a", "b"}})}});
  (void)log_.add_partitions("t", 5);
  EXPECT_THAT(kinesis_->describe("t"), Not(HasSubstr("shardId-000000000004")));
  kinesis_->ask("SplitShard",
                {{"StreamName", text("t")}, {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("9")}});
  kinesis_->pass(500ms);
  EXPECT_THAT(kinesis_->describe("t"), HasSubstr("shardId-000000000005"));
  EXPECT_EQ(log_.topic("t")->partitions, 6);
}

TEST_F(KinesisTest, PutsRecordsByTheirKeyAndGivesThemBack) {
  kinesis_->create("s", 3);
  const std::string put = kinesis_->put("s", "b", "data");
  const std::string number = between(put, "\"SequenceNumber\":\"", "\"");
  EXPECT_EQ(put, fmt::format(R"({{"SequenceNumber":"{}","ShardId":"shardId-000000000001"}})", number));
  const std::string got = kinesis_->get(kinesis_->iterator("s", "1"));
  EXPECT_THAT(got, HasSubstr(fmt::format(R"({{"Records":[{{"SequenceNumber":"{}","ApproximateArrivalTimestamp":)"
                                         R"(1700000001.000,"Data":"ZGF0YQ==","PartitionKey":"b"}}],)",
                                         number)));
  EXPECT_THAT(got, HasSubstr(R"("MillisBehindLatest":0)"));
  EXPECT_THAT(got, Not(HasSubstr("ChildShards")));
  const std::string next = between(got, "\"NextShardIterator\":\"", "\"");
  const std::string empty = kinesis_->get(next);
  EXPECT_THAT(empty, HasSubstr(R"("Records":[])"));
  EXPECT_NE(between(empty, "\"NextShardIterator\":\"", "\""), next);
  EXPECT_THAT(kinesis_->get("\"" + next + "\""), HasSubstr(R"("Records":[])"));
}

TEST_F(KinesisTest, ObeysAnExplicitHashKey) {
  kinesis_->create("s", 2);
  const auto put = [&](std::string_view key) {
    return kinesis_->ask(
        "PutRecord",
        {{"StreamName", text("s")}, {"PartitionKey", text("a")}, {"Data", text("")}, {"ExplicitHashKey", text(key)}});
  };
  EXPECT_THAT(put("170141183460469231731687303715884105727"), HasSubstr("shardId-000000000000"));
  EXPECT_THAT(put("170141183460469231731687303715884105728"), HasSubstr("shardId-000000000001"));
  EXPECT_EQ(
      put("340282366920938463463374607431768211456"),
      "InvalidArgumentException 400: Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
      "Specified value was 340282366920938463463374607431768211456");
}

Value list_of(std::vector<Value> values) {
  return Value(Value::List(std::move(values)));
}

TEST_F(KinesisTest, PutsManyAndTellsOfEach) {
  kinesis_->create("s", 3);
  const std::string body = kinesis_->ask(
      "PutRecords", {{"StreamName", text("s")},
                     {"Records", list_of({record("a", "1"), record("b", "2"), record("a", "3"), record("e", "4")})}});
  EXPECT_THAT(body, HasSubstr(R"({"FailedRecordCount":0,"Records":[)"));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(between(body, "shardId-00000000000", "\"", i),
              std::to_string(std::vector{0, 1, 0, 2}[static_cast<std::size_t>(i)]));
  const auto first = parse_sequence_number(between(body, "Number\":\"", "\"", 0));
  const auto third = parse_sequence_number(between(body, "Number\":\"", "\"", 2));
  EXPECT_EQ(third->counter, first->counter + 1);
  EXPECT_EQ(log_.records("s", 0).at(1).value, "3");
}

TEST_F(KinesisTest, OneFailureDoesNotStopTheOthers) {
  kinesis_->create("s", 3);
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kOverloaded, "x"}};
  const std::string body = kinesis_->ask(
      "PutRecords", {{"StreamName", text("s")}, {"Records", list_of({record("a", "1"), record("b", "2")})}});
  EXPECT_THAT(body, HasSubstr(R"("FailedRecordCount":1)"));
  EXPECT_THAT(body,
              HasSubstr(R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for )"
                        R"(shard shardId-000000000001 in stream s under account 000000000000."})"));
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kUnavailable, "x"}};
  EXPECT_THAT(kinesis_->ask("PutRecords",
                            {{"StreamName", text("s")}, {"Records", list_of({record("a", "1"), record("b", "2")})}}),
              HasSubstr(R"({"ErrorCode":"InternalFailure","ErrorMessage":"Internal Service Failure"})"));
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kInvalid, "over the limit"}};
  EXPECT_THAT(kinesis_->ask("PutRecords",
                            {{"StreamName", text("s")}, {"Records", list_of({record("a", "1"), record("b", "2")})}}),
              HasSubstr(R"({"ErrorCode":"InternalFailure","ErrorMessage":"over the limit"})"));
  log_.next_outcomes = {Error{ErrorCode::kUnavailable, "the disk is full"}};
  EXPECT_EQ(kinesis_->put("s", "a", "x"), "ServiceUnavailable 503: the disk is full");
}

TEST_F(KinesisTest, HoldsRecordsToTheSizeOfTheStream) {
  kinesis_->create("s", 1);
  const std::string large(1 << 20, 'x');
  EXPECT_THAT(
      kinesis_->put("s", "k", large),
      HasSubstr("ValidationException 400: 1 validation error detected: Value "
                "'java.nio.HeapByteBuffer[pos=0 lim=1048576 cap=1048576]' at 'data' failed to satisfy constraint: "
                "Member must have length less than or equal to 1048576"));
  EXPECT_THAT(kinesis_->ask("PutRecords",
                            {{"StreamName", text("s")}, {"Records", list_of({record("k", "1"), record("k", large)})}}),
              HasSubstr("at 'records.2.member.data' failed"));
  EXPECT_TRUE(log_.records("s", 0).empty());
  EXPECT_EQ(
      kinesis_->ask("UpdateMaxRecordSize", {{"StreamARN", text("arn:aws:kinesis:us-east-1:000000000000:stream/s")},
                                            {"MaxRecordSizeInKiB", number(2048)}}),
      "");
  EXPECT_THAT(kinesis_->put("s", "k", large), HasSubstr("SequenceNumber"));
}

TEST_F(KinesisTest, BeginsReadingWhereItIsTold) {
  kinesis_->create("s", 1);
  std::vector<std::string> numbers;
  for (int i = 0; i < 3; ++i) {
    numbers.push_back(between(kinesis_->put("s", "k", std::to_string(i)), "Number\":\"", "\""));
    clock_.advance(10s);
  }
  const auto read = [&](std::string_view type, std::string_view member, Value value) {
    const std::string answer = kinesis_->ask("GetShardIterator", {{"StreamName", text("s")},
                                                                  {"ShardId", text("0")},
                                                                  {"ShardIteratorType", text(type)},
                                                                  {member, std::move(value)}});
    EXPECT_THAT(answer, HasSubstr("\"ShardIterator\":\"")) << type;
    return between(kinesis_->get(between(answer, ":\"", "\"")), "\"Data\":\"", "\"");
  };
  const auto number_of = [&](std::size_t i) { return text(numbers[i]); };
  EXPECT_EQ(read("AT_SEQUENCE_NUMBER", "StartingSequenceNumber", number_of(1)), "MQ==");
  EXPECT_EQ(read("AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber", number_of(1)), "Mg==");
  EXPECT_EQ(read("AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber", number_of(2)), "");
  EXPECT_EQ(read("TRIM_HORIZON", "Unused", Value()), "MA==");
  EXPECT_EQ(read("LATEST", "Unused", Value()), "");
  EXPECT_EQ(read("AT_TIMESTAMP", "Timestamp", Value(WallTime(1700000011s))), "MQ==");
  EXPECT_EQ(read("AT_TIMESTAMP", "Timestamp", Value(WallTime(1s))), "MA==");
  EXPECT_EQ(read("AT_TIMESTAMP", "Timestamp", Value(clock_.now())), "");
  const std::string start = between(kinesis_->describe("s"), "\"StartingSequenceNumber\":\"", "\"");
  EXPECT_EQ(read("AT_SEQUENCE_NUMBER", "StartingSequenceNumber", text(start)), "MA==");
  EXPECT_EQ(read("AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber", text(start)), "MA==");
}

TEST_F(KinesisTest, ReadsNoMoreThanTheLimit) {
  kinesis_->create("s", 1);
  for (int i = 0; i < 3; ++i) kinesis_->put("s", "k", std::to_string(i));
  clock_.advance(7s);
  const std::string body =
      kinesis_->ask("GetRecords", {{"ShardIterator", text(kinesis_->iterator("s", "0"))}, {"Limit", number(2)}});
  EXPECT_EQ(between(body, "\"Data\":\"", "\"", 1), "MQ==");
  EXPECT_EQ(between(body, "\"Data\":\"", "\"", 2), "");
  EXPECT_THAT(body, HasSubstr(R"("MillisBehindLatest":7000)"));
}

TEST_F(KinesisTest, IteratorsExpireAndCannotBeInvented) {
  kinesis_->create("s", 1);
  const std::string iterator = kinesis_->iterator("s", "0");
  std::string broken = iterator;
  broken[40] = broken[40] == 'A' ? 'B' : 'A';
  EXPECT_EQ(kinesis_->get("garbage"), "InvalidArgumentException 400: Invalid ShardIterator.");
  EXPECT_THAT(kinesis_->get(broken),
              testing::AnyOf(HasSubstr("Invalid ShardIterator."), HasSubstr("Expired"), HasSubstr("does not exist")));
  clock_.advance(300s);
  EXPECT_THAT(kinesis_->get(iterator), HasSubstr("NextShardIterator"));
  clock_.advance(1ms);
  EXPECT_EQ(kinesis_->get(iterator),
            "ExpiredIteratorException 400: Iterator expired. The iterator was created at time Tue Nov 14 22:13:21 UTC "
            "2023 while right now it is Tue Nov 14 22:18:21 UTC 2023 which is further in the future than the tolerated "
            "delay of 300000 milliseconds.");
}

struct Wrong {
  std::string_view operation;
  std::vector<std::pair<std::string_view, std::string_view>> texts;
  std::string_view answer;
};

TEST_F(KinesisTest, RefusesInAwsWords) {
  kinesis_->create("s", 3);
  constexpr std::string_view kEither =
      "InvalidArgumentException 400: Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
      "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ";
  const std::string neither = std::string(kEither) + "AT_SEQUENCE_NUMBER and no StartingSequenceNumber.";
  const std::string both = std::string(kEither) + "LATEST and also a StartingSequenceNumber.";
  const std::string old_number = "21267647932558653966460912964485513217";  // Version 0, shard 1.
  const std::vector<Wrong> table{
      {"GetShardIterator",
       {{"ShardId", "x-2147483648"}, {"ShardIteratorType", "LATEST"}},
       "ResourceNotFoundException 400: Could not find shard x-2147483648 in stream s under account 000000000000."},
      {"GetShardIterator",
       {{"ShardId", "shardId-5"}, {"ShardIteratorType", "LATEST"}},
       "ResourceNotFoundException 400: Shard shardId-000000000005 in stream s under account 000000000000 does not "
       "exist"},
      {"GetShardIterator", {{"ShardId", "0"}, {"ShardIteratorType", "AT_SEQUENCE_NUMBER"}}, neither},
      {"GetShardIterator", {{"ShardId", "0"}, {"ShardIteratorType", "LATEST"}, {"StartingSequenceNumber", "5"}}, both},
      {"GetShardIterator",
       {{"ShardId", "0"}, {"ShardIteratorType", "AT_SEQUENCE_NUMBER"}, {"StartingSequenceNumber", "5"}},
       "InvalidArgumentException 400: Invalid StartingSequenceNumber. It encodes shardId-000000000005, while it was "
       "used "
       "in a call to a shard with shardId-000000000000"},
      {"GetShardIterator",
       {{"ShardId", "0"}, {"ShardIteratorType", "AT_SEQUENCE_NUMBER"}, {"StartingSequenceNumber", "0"}},
       "InternalFailure 500: "},
      {"GetShardIterator",
       {{"ShardId", "1"}, {"ShardIteratorType", "AT_SEQUENCE_NUMBER"}, {"StartingSequenceNumber", old_number}},
       "InternalFailure 500: "},
      {"GetShardIterator",
       {{"ShardId", "0"},
        {"ShardIteratorType", "AT_SEQUENCE_NUMBER"},
        {"StartingSequenceNumber", "26227199374822427428162556223570313216"}},
       "InvalidArgumentException 400: StartingSequenceNumber 26227199374822427428162556223570313216 used in "
       "GetShardIterator on shard shardId-000000000000 in stream s under account 000000000000 is invalid."},
      {"GetShardIterator",
       {{"ShardId", "1"},
        {"ShardIteratorType", "AT_SEQUENCE_NUMBER"},
        {"StartingSequenceNumber", "49646437577130777162115407028973509772956159636150419474"}},
       "InvalidArgumentException 400: StartingSequenceNumber 49646437577130777162115407028973509772956159636150419474 "
       "used in GetShardIterator on shard shardId-000000000001 in stream s under account 000000000000 is invalid "
       "because "
       "it did not come from this stream."},
      {"GetShardIterator",
       {{"ShardId", "0"}, {"ShardIteratorType", "AT_TIMESTAMP"}},
       "InvalidArgumentException 400: Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. "
       "Current request has no timestamp parameter."},
      {"PutRecord",
       {{"PartitionKey", "a"}, {"Data", ""}, {"SequenceNumberForOrdering", "26227199374822427428162556223570313216"}},
       "InvalidArgumentException 400: ExclusiveMinimumSequenceNumber 26227199374822427428162556223570313216 used in "
       "PutRecord on stream s under account "
       "000000000000 is invalid."},
      {"SplitShard",
       {{"ShardToSplit", "shardId-5"}, {"NewStartingHashKey", "0"}},
       "ResourceNotFoundException 400: Could not find shard shardId-000000000005 in stream s under account "
       "000000000000."},
      {"SplitShard",
       {{"ShardToSplit", "shard-0"}, {"NewStartingHashKey", "1"}},
       "InvalidArgumentException 400: NewStartingHashKey 1 used in SplitShard() on shard shardId-000000000000 in "
       "stream s "
       "under account 000000000000 is not both greater than one plus the shard's StartingHashKey 0 and less than the "
       "shard's EndingHashKey 113427455640312821154458202477256070484."},
      {"SplitShard",
       {{"ShardToSplit", "shard-2"}, {"NewStartingHashKey", "999999999999999999999999999999999999999"}},
       "InvalidArgumentException 400: NewStartingHashKey 999999999999999999999999999999999999999 used in SplitShard() "
       "on "
       "shard shardId-000000000002 in stream s under account 000000000000 is not both greater than one plus the "
       "shard's "
       "StartingHashKey 226854911280625642308916404954512140970 and less than the shard's EndingHashKey "
       "340282366920938463463374607431768211455."},
      {"MergeShards",
       {{"ShardToMerge", "shard-1"}, {"AdjacentShardToMerge", "shard-0"}},
       "InvalidArgumentException 400: Shards shardId-000000000001 and shardId-000000000000 in stream s under account "
       "000000000000 are not an adjacent pair of shards eligible for merging"},
      {"MergeShards",
       {{"ShardToMerge", "shard-2"}, {"AdjacentShardToMerge", "shard-0"}},
       "InvalidArgumentException 400: Shards shardId-000000000002 and shardId-000000000000 in stream s under account "
       "000000000000 are not an adjacent pair of shards eligible for merging"},
      {"RegisterStreamConsumer", {{"ConsumerName", "c"}}, "?"},
      {"RegisterStreamConsumer",
       {{"ConsumerName", "c"}},
       "ResourceInUseException 400: Consumer c of stream s under account 000000000000 already exists."},
      {"DescribeStreamConsumer",
       {{"ConsumerName", "d"}},
       "ResourceNotFoundException 400: Consumer d of stream s under account 000000000000 not found."},
  };
  for (const Wrong& each : table) {
    Value::Structure members;
    members.emplace_back("StreamName", text("s"));
    for (const auto& [name, value] : each.texts) members.emplace_back(name, text(value));
    const std::string answer = kinesis_->ask_value(each.operation, Value(std::move(members)));
    if (each.answer != "?") EXPECT_EQ(answer, each.answer);
  }
}

TEST_F(KinesisTest, HoldsRetentionToItsRange) {
  kinesis_->create("s", 1);
  const auto change = [&](const std::string& way, std::int64_t hours) {
    return kinesis_->ask(way + "StreamRetentionPeriod",
                         {{"StreamName", text("s")}, {"RetentionPeriodHours", number(hours)}});
  };
  EXPECT_EQ(
      change("Increase", 23),
      "InvalidArgumentException 400: Minimum allowed retention period is 24 hours. Requested retention period (23 "
      "hours) is too short.");
  EXPECT_EQ(change("Increase", 8761),
            "InvalidArgumentException 400: Maximum allowed retention period is 8760 hours. Requested retention period "
            "(8761 hours) is too long.");
  EXPECT_EQ(change("Increase", 48), "");
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr(R"("RetentionPeriodHours":48)"));
  EXPECT_EQ(change("Increase", 47),
            "InvalidArgumentException 400: Requested retention period (47 hours) for stream s can not be shorter than "
            "existing retention period (48 hours). Use DecreaseRetentionPeriod API.");
  EXPECT_EQ(change("Decrease", 49),
            "InvalidArgumentException 400: Requested retention period (49 hours) for stream s can not be longer than "
            "existing retention period (48 hours). Use IncreaseRetentionPeriod API.");
  const auto configs = log_.topic("s")->configs;
  EXPECT_TRUE(std::ranges::find(configs, std::pair<std::string, std::string>("retention.ms", "172800000")) !=
              configs.end());
}

TEST_F(KinesisTest, KeepsTags) {
  kinesis_->create("s", 1);
  const auto add = [&](Value added) {
    return kinesis_->ask("AddTagsToStream", {{"StreamName", text("s")}, {"Tags", std::move(added)}});
  };
  EXPECT_EQ(add(tags({{"b", "2"}, {"a", "\xc3\xa9 _./=+-@"}})), "");
  EXPECT_EQ(add(tags({{"a;", "1"}})),
            "InvalidArgumentException 400: Some tags contain invalid characters. Valid characters: Unicode letters, "
            "digits, white space, _ . / = + - % @.");
  EXPECT_EQ(add(tags({{"a", "%"}})),
            "InvalidArgumentException 400: Failed to add tags to stream s under account 000000000000 because some tags "
            "contained illegal characters. The allowed characters are Unicode letters, white-spaces, "
            "'_',',','/','=','+','-','@'.");
  restart();
  EXPECT_EQ(kinesis_->ask("ListTagsForStream", {{"StreamName", text("s")}, {"Limit", number(1)}}),
            "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"\xc3\xa9 _./=+-@\"}],\"HasMoreTags\":true}");
  EXPECT_EQ(kinesis_->ask("RemoveTagsFromStream", {{"StreamName", text("s")}, {"TagKeys", texts({"a", "x"})}}), "");
  EXPECT_EQ(kinesis_->ask("ListTagsForStream", {{"StreamName", text("s")}}),
            R"({"Tags":[{"Key":"b","Value":"2"}],"HasMoreTags":false})");
  Value::Map many;
  for (int i = 0; i < 50; ++i) many.emplace_back(fmt::format("k{}", i), text(""));
  EXPECT_EQ(add(Value(std::move(many))),
            "InvalidArgumentException 400: Failed to add tags to stream s under account 000000000000 because a given "
            "stream cannot have more than 10 tags associated with it.");
}

TEST_F(KinesisTest, ListsShardsByFilterAndInPages) {
  kinesis_->create("s", 2);
  kinesis_->ask("SplitShard",
                {{"StreamName", text("s")}, {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}});
  const WallTime before = clock_.now();
  kinesis_->pass(1s);
  const auto shards = [&](Members filter, Members more = {}) {
    Value::Structure members;
    members.emplace_back("StreamName", text("s"));
    if (filter.size() > 0) members.emplace_back("ShardFilter", structure(filter));
    for (const auto& [name, value] : more) members.emplace_back(name, value);
    const std::string body = kinesis_->ask_value("ListShards", Value(std::move(members)));
    std::string found;
    for (int i = 0;; ++i) {
      const std::string id = between(body, "\"ShardId\":\"shardId-00000000000", "\"", i);
      if (id.empty()) return found;
      found += id;
    }
  };
  EXPECT_EQ(shards({}), "0123");
  EXPECT_EQ(shards({{"Type", text("AT_LATEST")}}), "123");
  EXPECT_EQ(shards({{"Type", text("AT_TRIM_HORIZON")}}), "01");
  EXPECT_EQ(shards({{"Type", text("FROM_TRIM_HORIZON")}}), "0123");
  EXPECT_EQ(shards({{"Type", text("AFTER_SHARD_ID")}, {"ShardId", text("shardId-000000000001")}}), "23");
  EXPECT_EQ(shards({{"Type", text("AT_TIMESTAMP")}, {"Timestamp", Value(before)}}), "01");
  EXPECT_EQ(shards({{"Type", text("AT_TIMESTAMP")}, {"Timestamp", Value(clock_.now())}}), "123");
  EXPECT_EQ(shards({{"Type", text("FROM_TIMESTAMP")}, {"Timestamp", Value(before)}}), "0123");
  EXPECT_EQ(shards({}, {{"ExclusiveStartShardId", text("shardId-000000000002")}}), "3");
  const std::string page = kinesis_->ask("ListShards", {{"StreamName", text("s")}, {"MaxResults", number(3)}});
  const std::string token = between(page, "\"NextToken\":\"", "\"");
  EXPECT_THAT(kinesis_->ask("ListShards", {{"NextToken", text(token)}}), HasSubstr("shardId-000000000003"));
  EXPECT_EQ(kinesis_->ask("ListShards", {}),
            "InvalidArgumentException 400: Either NextToken or StreamName should be provided.");
  EXPECT_EQ(kinesis_->ask("ListShards", {{"NextToken", text(token)}, {"StreamName", text("s")}}),
            "InvalidArgumentException 400: NextToken and StreamName cannot be provided together.");
  EXPECT_EQ(kinesis_->get(token), "InvalidArgumentException 400: Invalid ShardIterator.");
  clock_.advance(301s);
  EXPECT_THAT(kinesis_->ask("ListShards", {{"NextToken", text(token)}}), HasSubstr("ExpiredNextTokenException"));
}

TEST_F(KinesisTest, TellsNoShardThatClosedBeforeTheRetention) {
  kinesis_->create("s", 1);
  kinesis_->ask("SplitShard",
                {{"StreamName", text("s")}, {"ShardToSplit", text("0")}, {"NewStartingHashKey", text("5")}});
  kinesis_->pass(1s);
  EXPECT_THAT(kinesis_->describe("s"), HasSubstr("\"ParentShardId\":\"shardId-000000000000\""));
  clock_.advance(25h);
  EXPECT_THAT(kinesis_->describe("s"), Not(HasSubstr("shardId-000000000000")));
  EXPECT_EQ(kinesis_->iterator("s", "0"), "");
}

TEST_F(KinesisTest, SummarisesWhatKclAsksFor) {
  kinesis_->create("s", 2);
  kinesis_->ask("RegisterStreamConsumer",
                {{"StreamARN", text("arn:aws:kinesis:us-east-1:000000000000:stream/s")}, {"ConsumerName", text("c")}});
  const std::string body = kinesis_->ask("DescribeStreamSummary", {{"StreamName", text("s")}});
  EXPECT_THAT(body, HasSubstr(R"("OpenShardCount":2,"ConsumerCount":1,"MaxRecordSizeInKiB":1024)"));
  EXPECT_EQ(between(body, "\"StreamId\":\"", "\"").size(), 24U);
}

TEST_F(KinesisTest, ConsumersLiveUntilTheyAreDeregistered) {
  kinesis_->create("s", 1);
  const auto stream = text("arn:aws:kinesis:us-east-1:000000000000:stream/s");
  const std::string made =
      kinesis_->ask("RegisterStreamConsumer", {{"StreamARN", stream}, {"ConsumerName", text("c")}});
  EXPECT_THAT(made, HasSubstr(R"("ConsumerStatus":"CREATING")"));
  const std::string arn = between(made, "\"ConsumerARN\":\"", "\"");
  EXPECT_EQ(arn, "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1700000001");
  clock_.advance(1s);
  restart();
  EXPECT_THAT(kinesis_->ask("DescribeStreamConsumer", {{"ConsumerARN", text(arn)}}),
              HasSubstr(R"("ConsumerStatus":"ACTIVE")"));
  EXPECT_THAT(kinesis_->ask("ListStreamConsumers", {{"StreamARN", stream}}), HasSubstr("\"ConsumerName\":\"c\""));
  EXPECT_THAT(kinesis_->ask("DeleteStream", {{"StreamARN", stream}}), HasSubstr("ResourceInUseException"));
  EXPECT_EQ(kinesis_->ask("TagResource", {{"ResourceARN", text(arn)}, {"Tags", tags({{"a", "b"}})}}), "");
  EXPECT_THAT(kinesis_->ask("ListTagsForResource", {{"ResourceARN", text(arn)}}), HasSubstr(R"("Key":"a")"));
  EXPECT_EQ(kinesis_->ask("DeregisterStreamConsumer", {{"ConsumerARN", text(arn)}}), "");
  EXPECT_THAT(kinesis_->ask("DescribeStreamConsumer", {{"ConsumerARN", text(arn)}}),
              HasSubstr("ResourceNotFoundException"));
}

TEST_F(KinesisTest, KeepsWhatItIsToldOfAStream) {
  kinesis_->create("s", 1);
  const auto arn = text("arn:aws:kinesis:us-east-1:000000000000:stream/s");
  EXPECT_EQ(kinesis_->ask("GetResourcePolicy", {{"ResourceARN", arn}}), R"({"Policy":"{}"})");
  EXPECT_EQ(kinesis_->ask("PutResourcePolicy", {{"ResourceARN", arn}, {"Policy", text("{\"a\":1}")}}), "");
  EXPECT_EQ(kinesis_->ask("GetResourcePolicy", {{"ResourceARN", arn}}), R"({"Policy":"{\"a\":1}"})");
  EXPECT_EQ(kinesis_->ask("StartStreamEncryption", {{"StreamName", text("s")}, {"KeyId", text("k")}}), "");
  EXPECT_THAT(kinesis_->put("s", "a", "x"), HasSubstr(R"("EncryptionType":"KMS")"));
  EXPECT_THAT(kinesis_->get(kinesis_->iterator("s", "0")), HasSubstr(R"("EncryptionType":"KMS")"));
  EXPECT_EQ(kinesis_->ask("StopStreamEncryption", {{"StreamName", text("s")}, {"KeyId", text("k")}}), "");
  EXPECT_THAT(kinesis_->put("s", "a", "x"), Not(HasSubstr("EncryptionType")));
  EXPECT_EQ(
      kinesis_->ask("EnableEnhancedMonitoring",
                    {{"StreamName", text("s")}, {"ShardLevelMetrics", texts({"OutgoingBytes", "IncomingBytes"})}}),
      R"({"StreamName":"s","CurrentShardLevelMetrics":[],"DesiredShardLevelMetrics":["IncomingBytes",)"
      R"("OutgoingBytes"],"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s"})");
  EXPECT_THAT(
      kinesis_->ask("DisableEnhancedMonitoring", {{"StreamName", text("s")}, {"ShardLevelMetrics", texts({"ALL"})}}),
      HasSubstr(R"("DesiredShardLevelMetrics":[])"));
  EXPECT_EQ(kinesis_->ask("UpdateStreamMode",
                          {{"StreamARN", arn}, {"StreamModeDetails", structure({{"StreamMode", text("ON_DEMAND")}})}}),
            "");
  EXPECT_EQ(kinesis_->ask("UpdateShardCount", {{"StreamName", text("s")}, {"TargetShardCount", number(2)}}),
            fmt::format("ValidationException 400: Request is invalid. Stream s under {} is in On-Demand mode.",
                        kAccountText));
}

TEST_F(KinesisTest, HoldsCallersToTheirRights) {
  kinesis_->create("mine", 1);
  kinesis_->create("theirs", 1);
  kinesis_->caller = std::make_shared<access::Caller>(
      "shop", std::vector<access::Grant>{{access::Right::kProduce, "mine"}, {access::Right::kConsume, "mine"}});
  EXPECT_THAT(kinesis_->put("mine", "k", "x"), HasSubstr("SequenceNumber"));
  EXPECT_EQ(kinesis_->put("theirs", "k", "x"),
            "AccessDeniedException 400: User: arn:aws:iam::000000000000:user/shop is not authorized to perform: "
            "kinesis:PutRecord on resource: arn:aws:kinesis:us-east-1:000000000000:stream/theirs because no "
            "identity-based policy allows the kinesis:PutRecord action");
  EXPECT_THAT(kinesis_->ask("DeleteStream", {{"StreamName", text("mine")}}), HasSubstr("AccessDeniedException"));
  EXPECT_THAT(kinesis_->ask("ListStreams", {}), HasSubstr(R"("StreamNames":["mine"])"));
  const std::string iterator = kinesis_->iterator("mine", "0");
  EXPECT_THAT(kinesis_->get(iterator), HasSubstr("Records"));
  kinesis_->caller = std::make_shared<access::Caller>("other", std::vector<access::Grant>{});
  EXPECT_THAT(kinesis_->get(iterator), HasSubstr("AccessDeniedException"));
}

TEST_F(KinesisTest, ListsStreamsInPages) {
  for (const auto* const name : {"c", "a", "b"}) kinesis_->create(name, 1);
  const std::string page = kinesis_->ask("ListStreams", {{"Limit", number(2)}});
  EXPECT_THAT(page, HasSubstr(R"({"StreamNames":["a","b"],"HasMoreStreams":true,)"));
  EXPECT_THAT(kinesis_->ask("ListStreams", {{"NextToken", text(between(page, "\"NextToken\":\"", "\""))}}),
              HasSubstr(R"({"StreamNames":["c"],"HasMoreStreams":false)"));
  EXPECT_THAT(kinesis_->ask("ListStreams", {{"ExclusiveStartStreamName", text("a")}}), HasSubstr(R"(["b","c"])"));
}

TEST_F(KinesisTest, CountsTheShardsOfItsStreamsAlone) {
  (void)log_.create_topic({"kafka", 400, {}});
  kinesis_->create("s", 3);
  EXPECT_EQ(kinesis_->ask("DescribeLimits", {}),
            R"({"ShardLimit":500,"OpenShardCount":3,"OnDemandStreamCount":0,"OnDemandStreamCountLimit":50})");
  EXPECT_THAT(
      kinesis_->ask("CreateStream", {{"StreamName", text("x")}, {"ShardCount", number(100000)}}),
      HasSubstr("LimitExceededException 400: This request would exceed the shard limit for the account "
                "000000000000 in us-east-1. Current shard count for the account: 3. Limit: 500. Number of "
                "additional shards that would have resulted from this request: 100000. Refer to the AWS Service "
                "Limits page"));
}

}  // namespace
}  // namespace pinflow::doors::kinesis
