#include "kinesis_source/kinesis_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"

namespace pinflow::kinesis_source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Scripted final : public aws::HttpTransport {
 public:
  Result<aws::HttpResponse> send(const aws::HttpRequest& request) override {
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Amz-Target") asked.push_back(value.substr(value.find('.') + 1) + " " + std::string(request.body));
    }
    if (answers.empty()) return fail(ErrorCode::kUnavailable, "nobody answers");
    aws::HttpResponse answer = std::move(answers.front());
    answers.erase(answers.begin());
    return answer;
  }
  std::vector<aws::HttpResponse> answers;
  std::vector<std::string> asked;
};

class Api : public testing::Test {
 protected:
  Scripted http_;
  disk::MemoryDisk disk_;
  ManualClock clock_;
  NullLogger logger_;
  aws::CredentialSource credentials_{{.from = "environment", .file = {}, .profile = {}},
                                     [](const char*) { return std::string("x"); },
                                     http_,
                                     disk_,
                                     clock_,
                                     logger_};
  aws::ServiceClient client_{
      {"http://127.0.0.1:4567", "us-east-1", "kinesis", "Kinesis_20131202"}, http_, credentials_, clock_};
  std::unique_ptr<KinesisApi> api_ = make_kinesis_api(client_);
};

TEST_F(Api, ListsShardsOverAllPages) {
  http_.answers = {
      {200,
       {},
       R"({"Shards":[{"ShardId":"a","SequenceNumberRange":{"StartingSequenceNumber":"7","EndingSequenceNumber":"9"}},)"
       R"({"ShardId":"b","ParentShardId":"a","SequenceNumberRange":{"StartingSequenceNumber":"8"}}],"NextToken":"t"})"},
      {200, {}, R"({"Shards":[{"ShardId":"c","ParentShardId":"a","AdjacentParentShardId":"b"}]})"}};
  const auto shards = api_->list_shards("pins");
  ASSERT_TRUE(shards) << shards.error().message;
  ASSERT_EQ(shards->size(), 3U);
  EXPECT_EQ((*shards)[0].parents, std::vector<std::string>());
  EXPECT_EQ((*shards)[0].first + (*shards)[1].first, "78");
  EXPECT_FALSE((*shards)[0].open);
  EXPECT_TRUE((*shards)[1].open);
  EXPECT_THAT((*shards)[2].parents, ElementsAre("a", "b"));
  EXPECT_THAT(http_.asked, ElementsAre(R"(ListShards {"StreamName":"pins"})", R"(ListShards {"NextToken":"t"})"));
}

TEST_F(Api, BeginsAtTheOldestRecordOrBehindOne) {
  http_.answers = {{200, {}, R"({"ShardIterator":"i"})"}, {200, {}, R"({"ShardIterator":"j"})"}};
  EXPECT_EQ(*api_->iterator("pins", "a", std::nullopt), "i");
  EXPECT_EQ(*api_->iterator("pins", "a", "49"), "j");
  EXPECT_THAT(http_.asked[0], HasSubstr(R"("ShardIteratorType":"TRIM_HORIZON"})"));
  EXPECT_THAT(http_.asked[1],
              HasSubstr(R"("ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StartingSequenceNumber":"49"})"));
}

TEST_F(Api, ReadsRecordsAndWhereToGoOn) {
  http_.answers = {
      {200,
       {},
       R"({"Records":[{"SequenceNumber":"49","PartitionKey":"k","Data":"AP8=","ApproximateArrivalTimestamp":1.790000000007E9}],)"
       R"("NextShardIterator":"n","MillisBehindLatest":1500})"},
      {200, {}, R"({"Records":[],"NextShardIterator":null,"MillisBehindLatest":0})"}};
  const auto got = api_->get_records("i");
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->records.size(), 1U);
  EXPECT_EQ(got->records[0].data, std::string("\x00\xff", 2));
  EXPECT_EQ(got->records[0].arrived, WallTime(std::chrono::milliseconds(1'790'000'000'007)));
  EXPECT_EQ(got->next, "n");
  EXPECT_EQ(got->behind, std::chrono::milliseconds(1'500));
  EXPECT_EQ(api_->get_records("n")->next, std::nullopt);
}

TEST_F(Api, AsksHowLongRecordsAreKept) {
  http_.answers = {{200, {}, R"({"StreamDescriptionSummary":{"RetentionPeriodHours":168}})"},
                   {200, {}, R"({"StreamDescriptionSummary":{}})"}};
  EXPECT_EQ(api_->retention("pins"), std::chrono::hours(168));
  EXPECT_EQ(api_->retention("pins").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(http_.asked[0], R"(DescribeStreamSummary {"StreamName":"pins"})");
}

TEST_F(Api, TellsErrorsApart) {
  const auto code = [&](int status, std::string body) {
    http_.answers = {{status, {}, std::move(body)}};
    return api_->get_records("i").error().code;
  };
  EXPECT_EQ(code(400, R"({"__type":"ProvisionedThroughputExceededException","message":"m"})"), ErrorCode::kOverloaded);
  EXPECT_EQ(code(400, R"({"__type":"com.amazonaws#ExpiredIteratorException","message":"m"})"), ErrorCode::kConflict);
  EXPECT_EQ(code(400, R"({"__type":"ResourceNotFoundException"})"), ErrorCode::kNotFound);
  EXPECT_EQ(code(500, R"({"__type":"InternalFailure"})"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(400, R"({"__type":"AccessDeniedException","Message":"no"})"), ErrorCode::kInvalid);
  EXPECT_EQ(code(502, "<html>"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(200, "[]"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(200, "{}"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(200, R"({"Records":[{"SequenceNumber":"1"}]})"), ErrorCode::kUnavailable);
  EXPECT_EQ(api_->get_records("i").error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pinflow::kinesis_source
