// Who may call what, what a caller may not learn, and what cannot be invented.

#include "doors/kinesis/operations_fixture.h"

namespace pinflow::doors::kinesis {
namespace {

using namespace std::chrono_literals;
using access::Right;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class KinesisRights : public KinesisTest {
 protected:
  void become(std::vector<access::Grant> grants) {
    kinesis_->caller = std::make_shared<access::Caller>("shop", std::move(grants));
  }
  static Value arn() { return text("arn:aws:kinesis:us-east-1:000000000000:stream/s"); }
  // With all members that any operation asks for; of a stream that is not there.
  bool is_denied(std::string_view operation) {
    return kinesis_
        ->ask(operation, {{"StreamName", text("s")},
                          {"ResourceARN", arn()},
                          {"Records", Value(Value::List{record("k", "d")})},
                          {"PartitionKey", text("k")},
                          {"Data", text("d")},
                          {"Tags", tags({})},
                          {"TagKeys", texts({})},
                          {"ShardId", text("0")},
                          {"ShardIteratorType", text("LATEST")},
                          {"ShardToSplit", text("0")},
                          {"ShardToMerge", text("0")},
                          {"AdjacentShardToMerge", text("1")}})
        .starts_with(
            "AccessDeniedException 400: User: arn:aws:iam::000000000000:user/shop is not authorized to "
            "perform: kinesis:");
  }
};

TEST_F(KinesisRights, AreAskedForByEveryOperation) {
  struct Row {
    std::vector<std::string_view> operations;
    std::vector<Right> rights;  // Each of them is enough.
  };
  const Row rows[] = {
      {{"PutRecord", "PutRecords"}, {Right::kProduce}},
      {{"GetShardIterator", "RegisterStreamConsumer", "DeregisterStreamConsumer", "SubscribeToShard"},
       {Right::kConsume}},
      {{"DescribeStream", "DescribeStreamSummary", "DescribeStreamConsumer", "ListShards", "ListStreamConsumers",
        "ListTagsForStream", "ListTagsForResource", "GetResourcePolicy"},
       {Right::kProduce, Right::kConsume, Right::kQuery}},
      {{"AddTagsToStream",
        "CreateStream",
        "DecreaseStreamRetentionPeriod",
        "DeleteResourcePolicy",
        "DeleteStream",
        "DisableEnhancedMonitoring",
        "EnableEnhancedMonitoring",
        "IncreaseStreamRetentionPeriod",
        "MergeShards",
        "PutResourcePolicy",
        "RemoveTagsFromStream",
        "SplitShard",
        "StartStreamEncryption",
        "StopStreamEncryption",
        "TagResource",
        "UntagResource",
        "UpdateMaxRecordSize",
        "UpdateShardCount",
        "UpdateStreamMode",
        "UpdateStreamWarmThroughput"},
       {}},
  };
  for (const auto& [operations, rights] : rows) {
    for (const auto operation : operations) {
      for (const Right right : {Right::kProduce, Right::kConsume, Right::kQuery}) {
        become({{right, "s"}});
        EXPECT_EQ(is_denied(operation), std::ranges::find(rights, right) == rights.end()) << operation;
        become({{right, "other"}});
        EXPECT_TRUE(is_denied(operation)) << operation;
      }
    }
  }
  become({{Right::kAdmin, "*"}});
  for (const Row& row : rows)
    for (const auto operation : row.operations) EXPECT_FALSE(is_denied(operation)) << operation;
}

TEST_F(KinesisRights, AreAskedForAgainWhereATokenNamesTheStream) {
  kinesis_->create("s", 3);
  const std::string page = kinesis_->ask("ListShards", {{"StreamName", text("s")}, {"MaxResults", number(1)}});
  const auto token = text(between(page, "\"NextToken\":\"", "\""));
  become({{Right::kConsume, "other"}});
  EXPECT_THAT(kinesis_->ask("ListShards", {{"NextToken", token}}), HasSubstr("AccessDeniedException"));
  become({{Right::kConsume, "s"}});
  EXPECT_THAT(kinesis_->ask("ListShards", {{"NextToken", token}}), HasSubstr("shardId-000000000001"));
}

TEST_F(KinesisRights, ADryRunSaysThatACallWouldDoAndDoesNothing) {
  kinesis_->create("s", 1);
  const auto put = [&](bool dry) {
    return kinesis_->ask(
        "PutRecord",
        {{"StreamName", text("s")}, {"PartitionKey", text("k")}, {"Data", text("d")}, {"DryRun", Value(dry)}});
  };
  EXPECT_EQ(put(true), "DryRunOperationException 400: Request would have succeeded, but the DryRun flag is set.");
  EXPECT_TRUE(log_.records("s").empty());
  EXPECT_THAT(put(false), HasSubstr("SequenceNumber"));
  become({{Right::kConsume, "s"}});
  EXPECT_THAT(put(true), HasSubstr("AccessDeniedException"));
}

TEST_F(KinesisRights, NoLetterOfAnIteratorCanBeChanged) {
  kinesis_->create("s", 2);
  kinesis_->put("s", "a", "secret");
  const std::string iterator = kinesis_->iterator("s", "0");
  for (std::size_t i = 0; i < iterator.size(); ++i) {
    std::string other = iterator;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    if (other == iterator) continue;
    const std::string answer = kinesis_->get(other);
    EXPECT_THAT(answer, Not(HasSubstr("\"Records\""))) << i;
    EXPECT_THAT(answer, Not(StartsWith("InternalFailure"))) << i;
  }
  EXPECT_THAT(kinesis_->get(iterator), HasSubstr("\"Records\""));
}

TEST_F(KinesisRights, StreamsThatAreDeletedLeaveRoomAtOnce) {
  restart({.shard_limit = 2});
  kinesis_->create("s", 2);
  EXPECT_EQ(kinesis_->ask("DeleteStream", {{"StreamName", text("s")}}), "");
  EXPECT_THAT(kinesis_->ask("DescribeLimits", {}), HasSubstr(R"("OpenShardCount":0)"));
  EXPECT_EQ(kinesis_->ask("CreateStream", {{"StreamName", text("t")}, {"ShardCount", number(2)}}), "");
}

TEST_F(KinesisRights, ARecordMayBeAsLargeAsItsStreamSaysAndNoLarger) {
  kinesis_->create("s", 1);
  EXPECT_THAT(kinesis_->put("s", "k", std::string((1 << 20) - 1, 'x')), HasSubstr("SequenceNumber"));
  EXPECT_THAT(kinesis_->put("s", "kk", std::string((1 << 20) - 1, 'x')), StartsWith("ValidationException 400: "));
}

TEST_F(KinesisRights, ACallThatFailsAsAWholeTellsItsWorstFailure) {
  kinesis_->create("s", 3);
  const auto put = [&](ErrorCode first, ErrorCode second) {
    log_.next_outcomes = {Error{first, "one"}, Error{second, "two"}};
    return kinesis_->ask(
        "PutRecords", {{"StreamName", text("s")}, {"Records", Value(Value::List{record("a", "1"), record("b", "2")})}});
  };
  EXPECT_EQ(put(ErrorCode::kUnavailable, ErrorCode::kUnknownOutcome), "InternalFailure 500: two");
  EXPECT_EQ(put(ErrorCode::kUnknownOutcome, ErrorCode::kUnavailable), "InternalFailure 500: one");
  EXPECT_EQ(put(ErrorCode::kOverloaded, ErrorCode::kUnavailable), "ServiceUnavailable 503: two");
}

TEST_F(KinesisRights, AResourceHasFiftyTags) {
  kinesis_->create("s", 1);
  Value::Map many;
  for (int i = 0; i < 50; ++i) many.emplace_back(fmt::format("k{:02}", i), text(""));
  EXPECT_EQ(kinesis_->ask("TagResource", {{"ResourceARN", arn()}, {"Tags", Value(many)}}), "");
  EXPECT_THAT(kinesis_->ask("TagResource", {{"ResourceARN", arn()}, {"Tags", tags({{"x", ""}})}}),
              StartsWith("LimitExceededException 400: "));
  EXPECT_EQ(kinesis_->ask("TagResource", {{"ResourceARN", arn()}, {"Tags", tags({{"k00", "other"}})}}), "");
}

}  // namespace
}  // namespace pinflow::doors::kinesis
