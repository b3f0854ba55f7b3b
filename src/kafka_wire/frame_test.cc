#include "kafka_wire/frame.h"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kafka_wire/messages/all.h"

namespace pinflow::kafka_wire {
namespace {

using namespace std::literals;

TEST(Frame, WaitsForItsLength) {
  EXPECT_FALSE(frame_size("\0\0\0"sv)->has_value());
  EXPECT_EQ(**frame_size("\0\0\1\2"sv), 4u + 258u);
  EXPECT_EQ(**frame_size("\0\0\0\0"sv), 4u);
}

TEST(Frame, RefusesNegativeAndTooLargeLengths) {
  EXPECT_FALSE(frame_size("\xff\xff\xff\xff"sv).has_value());
  EXPECT_FALSE(frame_size("\x80\0\0\0"sv).has_value());
  EXPECT_TRUE(frame_size("\0\0\0\x64"sv, 100).has_value());
  EXPECT_FALSE(frame_size("\0\0\0\x65"sv, 100).has_value());
}

TEST(Frame, NamesForeignProtocols) {
  EXPECT_NE(frame_size("GET /topics HTTP/1.1"sv).error().message.find("HTTP"), std::string::npos);
  EXPECT_NE(frame_size("\x16\x03\x01\x02\x00"sv).error().message.find("TLS"), std::string::npos);
}

TEST(RequestHeader, IsReadInBothForms) {
  // Metadata v1 from client "ab": the old header.
  const auto old = read_request_header(
      "\0\3\0\1\0\0\0\7\0\2"
      "ab"
      "rest"sv);
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->api->key, ApiKey::kMetadata);
  EXPECT_EQ(old->version, 1);
  EXPECT_EQ(old->correlation_id, 7);
  EXPECT_EQ(old->client_id, "ab");
  EXPECT_EQ(old->body, "rest");
  // v9: the client id keeps its long length, tagged fields follow.
  const auto flexible = read_request_header(
      "\0\3\0\x09\0\0\0\7\0\2"
      "ab"
      "\1\0\2xy"
      "rest"sv);
  ASSERT_TRUE(flexible.has_value());
  EXPECT_EQ(flexible->client_id, "ab");
  EXPECT_EQ(flexible->body, "rest");
  // No client id at all.
  const auto nameless = read_request_header("\0\3\0\1\0\0\0\7\xff\xff"sv);
  ASSERT_TRUE(nameless.has_value());
  EXPECT_FALSE(nameless->client_id.has_value());
  EXPECT_TRUE(nameless->body.empty());
}

TEST(RequestHeader, SaysWhatIsNotServed) {
  EXPECT_FALSE(read_request_header("\0\3\0\x0d\0\0\0\7\xff\xff"sv)->served());  // Metadata v13.
  EXPECT_FALSE(read_request_header("\0\x18\0\0\0\0\0\7\xff\xff"sv)->served());  // AddPartitionsToTxn.
  EXPECT_FALSE(read_request_header("\0\0\0\2\0\0\0\7\xff\xff"sv)->served());    // Produce v2: known and refused.
  EXPECT_TRUE(read_request_header("\0\0\0\3\0\0\0\7\xff\xff"sv)->served());
  EXPECT_EQ(read_request_header("\0\x18\0\0\0\0\0\7\xff\xff"sv)->api, nullptr);
}

TEST(RequestHeader, RefusesWhatIsCutOrLies) {
  const std::string header(
      "\0\3\0\x09\0\0\0\7\0\2"
      "ab"
      "\1\0\2xy",
      17);
  for (std::size_t size = 0; size < header.size(); ++size)
    EXPECT_FALSE(read_request_header(std::string(header.substr(0, size))).has_value()) << size;
  EXPECT_FALSE(read_request_header("\0\3\0\1\0\0\0\7\xff\xfe"sv).has_value());  // Length -2.
  EXPECT_FALSE(read_request_header("\0\3\0\1\0\0\0\7\0\3ab"sv).has_value());    // Longer than the frame.
}

TEST(ResponseHeader, IsTheOldOneForApiVersionsAtEveryVersion) {
  for (std::int16_t version = 0; version <= 4; ++version) {
    const std::string frame =
        encode_response(api_versions_response(KafkaError::kUnsupportedVersion), version, 7).flat();
    EXPECT_EQ(std::string_view(frame).substr(4, 6), "\0\0\0\7\0\x23"sv)
        << version;  // Correlation id, then the error code.
    EXPECT_EQ(read_response_header(std::string_view(frame).substr(4), ApiKey::kApiVersions, version)->body.size(),
              frame.size() - 8);
  }
  EXPECT_EQ(encode_response(HeartbeatResponse{}, 3, 7).flat(), "\0\0\0\x0a\0\0\0\7\0\0\0\0\0\0"sv);
  EXPECT_EQ(encode_response(HeartbeatResponse{}, 4, 7).flat(), "\0\0\0\x0c\0\0\0\7\0\0\0\0\0\0\0\0"sv);
}

TEST(Api, FindsKindsByNumberAndNamesTheRest) {
  EXPECT_EQ(find_api(60)->name, "DescribeCluster");
  EXPECT_EQ(find_api(4), nullptr);
  EXPECT_EQ(find_api(-1), nullptr);
  EXPECT_EQ(find_api(32767), nullptr);
  EXPECT_EQ(api_name(24), "AddPartitionsToTxn");
  EXPECT_EQ(api_name(9999), "api");
}

TEST(Api, AdvertisesProduceFromZeroAndServesItFromThree) {
  const ApiVersionsResponse response = api_versions_response();
  EXPECT_EQ(response.api_keys.size(), all_apis().size());
  EXPECT_EQ(response.api_keys[0], (ApiVersionsResponse::ApiVersion{0, 0, 11}));
  EXPECT_FALSE(api_info(ApiKey::kProduce).serves(2));
  EXPECT_TRUE(api_info(ApiKey::kProduce).known(2));
  EXPECT_EQ(api_versions_response(KafkaError::kUnsupportedVersion).error_code, KafkaError::kUnsupportedVersion);
}

TEST(Api, IsDocumentedAsItIs) {
  std::ifstream file(PINFLOW_SOURCE_DIR "/docs/compatibility.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const ApiInfo& api : all_apis()) {
    const std::string flexible =
        api.flexible_from == ApiInfo::kNeverFlexible ? "never" : fmt::format("{}", api.flexible_from);
    const std::string row = fmt::format("\n| {} | {} | {}-{} | {} |\n", static_cast<int>(api.key), api.name,
                                        api.advertised_first, api.last, flexible);
    EXPECT_NE(text.str().find(row), std::string::npos) << "docs/compatibility.md lacks this row:" << row;
  }
}

TEST(KafkaErrors, HaveNamesAndSayWhetherToRetry) {
  EXPECT_EQ(to_string(KafkaError::kUnknownTopicOrPartition), "UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(to_string(KafkaError::kUnknownServerError), "UNKNOWN_SERVER_ERROR");
  EXPECT_EQ(to_string(static_cast<KafkaError>(9999)), "UNKNOWN_ERROR");
  EXPECT_TRUE(is_retriable(KafkaError::kNotCoordinator));
  EXPECT_FALSE(is_retriable(KafkaError::kTransactionalIdAuthorizationFailed));
  EXPECT_FALSE(is_retriable(static_cast<KafkaError>(9999)));
}

}  // namespace
}  // namespace pinflow::kafka_wire
