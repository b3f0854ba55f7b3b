// The door that passes calls on, before a service that speaks Kinesis: the door over a log, which checks the signatures of what it gets.

#include "doors/kinesis/remote_operations.h"

#include <map>

#include "disk/memory_disk.h"
#include "doors/kinesis/input.h"
#include "doors/kinesis/input_writer.h"
#include "doors/kinesis/kinesis_door.h"
#include "doors/kinesis/operations_fixture.h"

namespace pinflow::doors::kinesis {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Carries requests to a door in this process.
class ToDoor final : public aws::HttpTransport {
 public:
  explicit ToDoor(KinesisDoor& door) : door_(door) {}
  Result<aws::HttpResponse> send(const aws::HttpRequest& request) override {
    if (failure) return fail(*failure);
    if (answer) return *answer;
    http::Request asked;
    asked.method = request.method;
    asked.target = "/";
    for (const auto& [name, value] : request.headers) asked.headers.add(name, value);
    asked.body = std::string(request.body);
    std::promise<http::Response> promise;
    auto answered = promise.get_future();
    door_.handle(std::move(asked), [&](http::Response response) { promise.set_value(std::move(response)); });
    http::Response response = answered.get();
    return aws::HttpResponse{response.status, {}, std::move(response.body)};
  }
  std::optional<Error> failure;             // Instead of any answer.
  std::optional<aws::HttpResponse> answer;  // Instead of the door's.

 private:
  KinesisDoor& door_;
};

class RemoteKinesis : public testing::Test {
 protected:
  RemoteKinesis() {
    EXPECT_TRUE(disk_.create_folders("/etc"));
    EXPECT_TRUE(disk_.write_file("/etc/keys", "AKID secret pinflow admin,produce:*,consume:*,query\n"));
    verifier_ =
        access::SignatureVerifier::open({.rules = {.service = "kinesis"}}, "/etc/keys", disk_, clock_, logger_).value();
    door_.emplace(far_, Random(1), KinesisDoorOptions{.verifier = verifier_.get()});
    http_.emplace(*door_);
    credentials_.emplace(
        aws::CredentialOptions{.from = "environment", .file = {}, .profile = {}},
        [this](const char* name) { return environment_[name]; }, *http_, disk_, clock_, logger_);
    client_.emplace(aws::ServiceAddress{"http://far:4567", "eu-west-1", "kinesis", "Kinesis_20131202"}, *http_,
                    *credentials_, clock_);
    near_.emplace(*client_, logger_, RemoteOptions{.threads = 2});
  }
  std::expected<Answer, Fault> send(std::string_view operation, Members members, Encoding encoding = Encoding::kJson) {
    Call call;
    call.operation = find_operation(operation)->name;
    call.input = structure(members);
    call.encoding = encoding;
    call.caller = caller_;
    std::promise<std::expected<Answer, Fault>> promise;
    auto future = promise.get_future();
    near_->run(std::move(call), [&](auto outcome) { promise.set_value(std::move(outcome)); });
    return future.get();
  }
  std::string ask(std::string_view operation, Members members) {
    auto outcome = send(operation, members);
    if (outcome) return std::move(outcome->body);
    return fmt::format("{} {}: {}", outcome.error().type, outcome.error().status, outcome.error().message);
  }
  void create(std::string_view name) {
    EXPECT_EQ(ask("CreateStream", {{"StreamName", text(name)}, {"ShardCount", number(2)}}), "");
    clock_.advance(std::chrono::seconds(1));
    far_.run_due();
    // Runs behind the changes that are due; the door before it would refuse it as it is.
    Call last;
    last.operation = "UpdateAccountSettings";
    last.input = structure({});
    std::promise<void> behind;
    far_.run(std::move(last), [&](const auto&) { behind.set_value(); });
    behind.get_future().wait();
  }

  log::MemoryLog log_;
  ManualClock clock_{WallTime(std::chrono::milliseconds(1'700'000'000'000))};
  NullLogger logger_;
  disk::MemoryDisk disk_{&clock_};
  KinesisOperations far_{log_, clock_, Random(3), {}};
  std::unique_ptr<access::SignatureVerifier> verifier_;
  std::map<std::string, std::string> environment_{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret"}};
  std::optional<KinesisDoor> door_;
  std::optional<ToDoor> http_;
  std::optional<aws::CredentialSource> credentials_;
  std::optional<aws::ServiceClient> client_;
  std::shared_ptr<const access::Caller> caller_;
  std::optional<RemoteOperations> near_;
};

TEST_F(RemoteKinesis, TakesRecordsThereAndBringsThemBack) {
  create("pins");
  const std::string bytes("\x00\xff\x7f \"{", 6);
  EXPECT_THAT(ask("PutRecord", {{"StreamName", text("pins")}, {"PartitionKey", text("k")}, {"Data", text(bytes)}}),
              HasSubstr("SequenceNumber"));
  const std::string shard =
      between(ask("PutRecord", {{"StreamName", text("pins")}, {"PartitionKey", text("k")}, {"Data", text("2")}}),
              "\"ShardId\":\"", "\"");
  const std::string iterator =
      between(ask("GetShardIterator", {{"StreamName", text("pins")},
                                       {"ShardId", text(shard)},
                                       {"ShardIteratorType", text("AT_TIMESTAMP")},
                                       {"Timestamp", Value(WallTime(std::chrono::milliseconds(1)))}}),
              ":\"", "\"");
  EXPECT_THAT(ask("GetRecords", {{"ShardIterator", text(iterator)}}), HasSubstr("\"Data\":\"AP9/ICJ7\""));
  EXPECT_THAT(ask("ListStreams", {}), HasSubstr("pins"));
  EXPECT_EQ(ask("AddTagsToStream", {{"StreamName", text("pins")}, {"Tags", tags({{"a", "b"}})}}), "");
}

TEST_F(RemoteKinesis, SpeaksTheEncodingOfItsClient) {
  create("pins");
  const auto answer = send(
      "PutRecord", {{"StreamName", text("pins")}, {"PartitionKey", text("k")}, {"Data", text("d")}}, Encoding::kCbor);
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->body, StartsWith("\xbf"));
  const auto fault = send("DescribeStream", {{"StreamName", text("none")}}, Encoding::kCbor);
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().type, "ResourceNotFoundException");
  EXPECT_EQ(fault.error().status, 400);
}

TEST_F(RemoteKinesis, GivesErrorsInTheWordsOfTheService) {
  EXPECT_EQ(ask("DescribeStream", {{"StreamName", text("none")}}),
            "ResourceNotFoundException 400: Stream none under account 000000000000 not found.");
  http_->answer = aws::HttpResponse{
      400, {}, R"({"__type":"com.amazonaws.kinesis#ProvisionedThroughputExceededException","Message":"slow"})"};
  EXPECT_EQ(ask("ListStreams", {}), "ProvisionedThroughputExceededException 400: slow");
  http_->answer = aws::HttpResponse{502, {}, "<html>"};
  EXPECT_EQ(ask("ListStreams", {}), "InternalFailure 502: http://far:4567 answered 502 without saying why");
  http_->answer = aws::HttpResponse{301, {}, ""};
  EXPECT_THAT(ask("ListStreams", {}), StartsWith("InternalFailure 500"));
}

TEST_F(RemoteKinesis, SaysWhoseCredentialsAreRefused) {
  environment_["AWS_SECRET_ACCESS_KEY"] = "another";
  EXPECT_THAT(ask("ListStreams", {}), HasSubstr("refuses the credentials of this pinflow, not those of its client"));
}

TEST_F(RemoteKinesis, TellsApartWhatMayHaveBeenDone) {
  http_->failure = Error(ErrorCode::kUnavailable, "the connection ended");
  EXPECT_THAT(ask("ListStreams", {}), StartsWith("ServiceUnavailable 503: http://far:4567 cannot be asked"));
  const Members put = {{"StreamName", text("pins")}, {"PartitionKey", text("k")}, {"Data", text("d")}};
  EXPECT_THAT(ask("PutRecord", put), StartsWith("InternalFailure 500: http://far:4567 gave no answer; whether"));
}

TEST_F(RemoteKinesis, KnowsThatNothingWasSentWithoutCredentials) {
  environment_.clear();
  EXPECT_THAT(ask("PutRecord", {{"StreamName", text("pins")}, {"PartitionKey", text("k")}, {"Data", text("d")}}),
              StartsWith("ServiceUnavailable 503: http://far:4567 cannot be asked: there are no AWS credentials"));
}

TEST_F(RemoteKinesis, HoldsCallersToTheirRightsHere) {
  create("pins");
  caller_ = std::make_shared<access::Caller>("shop", std::vector<access::Grant>{{access::Right::kProduce, "pins"}});
  const auto put = [&](std::string_view stream) {
    return ask("PutRecord", {{"StreamName", text(stream)}, {"PartitionKey", text("k")}, {"Data", text("d")}});
  };
  EXPECT_THAT(put("pins"), HasSubstr("SequenceNumber"));
  EXPECT_THAT(put("other"), StartsWith("AccessDeniedException 400"));
  EXPECT_THAT(ask("GetRecords", {{"ShardIterator", text("x")}}), StartsWith("AccessDeniedException 400"));
  EXPECT_THAT(ask("DeleteStream", {{"StreamName", text("pins")}}), StartsWith("AccessDeniedException 400"));
}

TEST_F(RemoteKinesis, RefusesWhatItCannotPassOn) {
  EXPECT_THAT(
      ask("SubscribeToShard", {{"ConsumerARN", text("arn:aws:kinesis:us-east-1:000000000000:stream/pins/consumer/c:1")},
                               {"ShardId", text("shardId-000000000000")}}),
      StartsWith("InvalidArgumentException 400: SubscribeToShard is not passed on"));
}

TEST(InputWriter, WritesWhatIsReadBackTheSame) {
  const Value put =
      structure({{"StreamName", text("pins")},
                 {"Records", Value(Value::List{record("k", std::string_view("\x00\xff", 2)), record("\"", "")})}});
  const Value tagged = structure({{"StreamName", text("pins")}, {"Tags", tags({{"a", "b"}, {"c", ""}})}});
  for (const Encoding encoding : {Encoding::kJson, Encoding::kCbor}) {
    const auto again = [&](std::string_view operation, const Value& value) {
      const Shape& shape = find_operation(operation)->input;
      const std::string body = write_input(shape, value, encoding);
      const Input read = encoding == Encoding::kJson ? read_json(body, &shape) : read_cbor(body, &shape);
      EXPECT_TRUE(read.parsed && !read.mismatch) << body;
      EXPECT_EQ(write_input(shape, read.value, encoding), body);
      return write_input(shape, read.value, Encoding::kJson);
    };
    EXPECT_EQ(
        again("PutRecords", put),
        R"({"Records":[{"PartitionKey":"k","Data":"AP8="},{"PartitionKey":"\"","Data":""}],"StreamName":"pins"})");
    EXPECT_EQ(again("AddTagsToStream", tagged), R"({"Tags":{"a":"b","c":""},"StreamName":"pins"})");
  }
}

}  // namespace
}  // namespace pinflow::doors::kinesis
