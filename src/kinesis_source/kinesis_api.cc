#include "kinesis_source/kinesis_api.h"

#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/base64.h"
#include "base/json.h"

namespace pinflow::kinesis_source {

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr const char* kJson = "application/x-amz-json-1.1";
constexpr std::int64_t kMostRecords = 10'000;  // Of a call, as Kinesis has it; it answers less where they are large.

ErrorCode code_of(std::string_view type) {
  const auto has = [&](std::string_view part) { return type.contains(part); };
  if (has("ProvisionedThroughputExceeded") || has("LimitExceeded") || has("Throttling")) return ErrorCode::kOverloaded;
  if (has("ExpiredIterator")) return ErrorCode::kConflict;
  if (has("ResourceNotFound")) return ErrorCode::kNotFound;
  if (has("InternalFailure") || has("ServiceUnavailable")) return ErrorCode::kUnavailable;
  return ErrorCode::kInvalid;
}

std::string text_of(const element& from, std::string_view member) {
  std::string_view text;
  return from[member].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Error not_understood(std::string_view operation) {
  return {ErrorCode::kUnavailable, fmt::format("{}: the answer is not that of a Kinesis", operation)};
}

class Client final : public KinesisApi {
 public:
  explicit Client(aws::ServiceClient& client) : client_(client) {}

  Result<std::vector<Shard>> list_shards(const std::string& stream) override {
    std::vector<Shard> shards;
    std::string token;
    do {
      JsonWriter ask;
      ask.begin_object();
      // A token stands for all that the first call said.
      token.empty() ? ask.key("StreamName").string(stream) : ask.key("NextToken").string(token);
      ask.end_object();
      simdjson::dom::parser parser;
      TRY_ASSIGN(const element answer, call("ListShards", std::move(ask).take(), parser));
      simdjson::dom::array listed;
      if (answer["Shards"].get(listed) != simdjson::SUCCESS) return fail(not_understood("ListShards"));
      for (const element shard : listed) {
        Shard one{.id = text_of(shard, "ShardId"), .parents = {}, .first = {}, .open = true};
        for (const char* const member : {"ParentShardId", "AdjacentParentShardId"}) {
          if (std::string parent = text_of(shard, member); !parent.empty()) one.parents.push_back(std::move(parent));
        }
        if (element range; shard["SequenceNumberRange"].get(range) == simdjson::SUCCESS) {
          one.first = text_of(range, "StartingSequenceNumber");
          one.open = text_of(range, "EndingSequenceNumber").empty();
        }
        if (element range; shard["HashKeyRange"].get(range) == simdjson::SUCCESS) {
          one.first_hash = aws::parse_hash_key(text_of(range, "StartingHashKey")).value_or(one.first_hash);
          one.last_hash = aws::parse_hash_key(text_of(range, "EndingHashKey")).value_or(one.last_hash);
        }
        shards.push_back(std::move(one));
      }
      token = text_of(answer, "NextToken");
    } while (!token.empty());
    return shards;
  }

  Result<std::string> iterator(const std::string& stream, const std::string& shard,
                               const std::optional<std::string>& after) override {
    JsonWriter ask;
    ask.begin_object().key("StreamName").string(stream).key("ShardId").string(shard);
    ask.key("ShardIteratorType").string(after ? "AFTER_SEQUENCE_NUMBER" : "TRIM_HORIZON");
    if (after) ask.key("StartingSequenceNumber").string(*after);
    ask.end_object();
    simdjson::dom::parser parser;
    TRY_ASSIGN(const element answer, call("GetShardIterator", std::move(ask).take(), parser));
    std::string iterator = text_of(answer, "ShardIterator");
    if (iterator.empty()) return fail(not_understood("GetShardIterator"));
    return iterator;
  }

  Result<GotRecords> get_records(const std::string& iterator) override {
    JsonWriter ask;
    ask.begin_object().key("ShardIterator").string(iterator).key("Limit").integer(kMostRecords).end_object();
    simdjson::dom::parser parser;
    TRY_ASSIGN(const element answer, call("GetRecords", std::move(ask).take(), parser));
    GotRecords got;
    simdjson::dom::array records;
    if (answer["Records"].get(records) != simdjson::SUCCESS) return fail(not_understood("GetRecords"));
    for (const element record : records) {
      TRY_ASSIGN(auto read, read_record(record));
      got.records.push_back(std::move(read));
    }
    if (std::string next = text_of(answer, "NextShardIterator"); !next.empty()) got.next = std::move(next);
    std::int64_t behind = 0;
    if (answer["MillisBehindLatest"].get(behind) == simdjson::SUCCESS) got.behind = std::chrono::milliseconds(behind);
    return got;
  }

  Result<std::chrono::hours> retention(const std::string& stream) override {
    JsonWriter ask;
    ask.begin_object().key("StreamName").string(stream).end_object();
    simdjson::dom::parser parser;
    TRY_ASSIGN(const element answer, call("DescribeStreamSummary", std::move(ask).take(), parser));
    std::int64_t hours = 0;
    if (answer["StreamDescriptionSummary"]["RetentionPeriodHours"].get(hours) != simdjson::SUCCESS || hours <= 0)
      return fail(not_understood("DescribeStreamSummary"));
    return std::chrono::hours(hours);
  }

 private:
  static Result<Record> read_record(const element& record) {
    auto data = base64_decode(text_of(record, "Data"));
    double seconds = 0;
    Record read{.sequence = text_of(record, "SequenceNumber"),
                .key = text_of(record, "PartitionKey"),
                .data = {},
                .arrived = {}};
    if (!data || read.sequence.empty() || record["ApproximateArrivalTimestamp"].get(seconds) != simdjson::SUCCESS)
      return fail(not_understood("GetRecords"));
    read.data = *std::move(data);
    read.arrived = WallTime(std::chrono::milliseconds(std::llround(seconds * 1'000)));
    return read;
  }

  // The answer lives as long as the parser.
  Result<element> call(std::string_view operation, const std::string& body, simdjson::dom::parser& parser) {
    TRY_ASSIGN(const aws::HttpResponse response, client_.call(operation, kJson, body));
    element answer;
    const bool read = parser.parse(response.body).get(answer) == simdjson::SUCCESS && answer.is_object();
    if (response.status == 200 && read) return answer;
    if (!read)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} was answered with {} and no JSON", operation, response.status));
    const std::string message =
        text_of(answer, "message").empty() ? text_of(answer, "Message") : text_of(answer, "message");
    const std::string type = text_of(answer, "__type");
    return fail(code_of(type),
                fmt::format("{} was answered with {}: {}", operation, type.substr(type.find('#') + 1), message));
  }

  aws::ServiceClient& client_;
};

}  // namespace

std::unique_ptr<KinesisApi> make_kinesis_api(aws::ServiceClient& client) {
  return std::make_unique<Client>(client);
}

}  // namespace pinflow::kinesis_source
