#include <gtest/gtest.h>

#include "kafka_wire/consumer_protocol.h"
#include "kafka_wire/messages/all.h"

// Bytes written by hand from the protocol guide, so that reader and writer cannot be wrong together.
namespace pinflow::kafka_wire {
namespace {

// Reads "00 03 'orders'": hex digits with blanks, text in quotes.
std::string bytes(std::string_view text) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\'') {
      const std::size_t end = text.find('\'', i + 1);
      out += text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if (text[i] == ' ') {
      ++i;
    } else {
      out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
      i += 2;
    }
  }
  return out;
}

template <class M>
void expect_golden(const M& message, std::int16_t version, std::string_view golden) {
  EncodedFrame frame;
  encode_body(message, version, frame);
  EXPECT_EQ(frame.flat(), bytes(golden));
  const std::string raw = bytes(golden);
  const auto back = decode_body<M>(raw, version);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_TRUE(*back == message);
}

TEST(GoldenBytes, ApiVersions) {
  expect_golden(ApiVersionsRequest{}, 0, "");
  expect_golden(ApiVersionsRequest{.client_software_name = "kcat", .client_software_version = "1.7"}, 3,
                "05 'kcat' 04 '1.7' 00");
  const ApiVersionsResponse response{.error_code = KafkaError::kUnsupportedVersion,
                                     .api_keys = {{18, 0, 4}, {3, 1, 12}}};
  expect_golden(response, 0, "0023 00000002 0012 0000 0004 0003 0001 000c");
  expect_golden(response, 2, "0023 00000002 0012 0000 0004 0003 0001 000c 00000000");
  expect_golden(response, 3, "0023 03 0012 0000 0004 00 0003 0001 000c 00 00000000 00");
}

TEST(GoldenBytes, MetadataRequest) {
  const MetadataRequest one{.topics = std::vector<MetadataRequest::Topic>{{.name = "ab"}}};
  expect_golden(MetadataRequest{}, 1, "ffffffff");
  expect_golden(one, 1, "00000001 0002 'ab'");
  expect_golden(one, 9, "02 03 'ab' 00 01 00 00 00");
  expect_golden(one, 12, "02 00000000000000000000000000000000 03 'ab' 00 01 00 00");
  expect_golden(MetadataRequest{.topics = std::vector<MetadataRequest::Topic>{}}, 9, "01 01 00 00 00");
  // librdkafka 2 keeps four bytes for the count of "all topics" and leaves three of them behind the message.
  const std::string stray = bytes("00 01 00 00 00 000000");
  const auto back = decode_body<MetadataRequest>(stray, 9);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, MetadataRequest{});
}

TEST(GoldenBytes, MetadataResponse) {
  MetadataResponse response{
      .brokers = {{.node_id = 1, .host = "h", .port = 9092}},
      .controller_id = 1,
      .topics = {{.name = "t", .partitions = {{.leader_id = 1, .replica_nodes = {1}, .isr_nodes = {1}}}}}};
  expect_golden(response, 1,
                "00000001 00000001 0001 'h' 00002384 ffff 00000001"
                "00000001 0000 0001 't' 00 00000001 0000 00000000 00000001 00000001 00000001 00000001 00000001");
  response.cluster_id = "c";
  expect_golden(
      response, 9,
      "00000000 02 00000001 02 'h' 00002384 00 00 02 'c' 00000001"
      "02 0000 02 't' 00 02 0000 00000000 00000001 ffffffff 02 00000001 02 00000001 01 00 80000000 00 80000000 00");
}

TEST(GoldenBytes, Produce) {
  const ProduceRequest request{.acks = -1,
                               .timeout_ms = 1000,
                               .topics = {{.name = "t", .partitions = {{.index = 2, .records = "RRR"}, {.index = 3}}}}};
  expect_golden(request, 7, "ffff ffff 000003e8 00000001 0001 't' 00000002 00000002 00000003 'RRR' 00000003 ffffffff");
  expect_golden(request, 9, "00 ffff 000003e8 02 02 't' 03 00000002 04 'RRR' 00 00000003 00 00 00 00");
  ProduceResponse response{
      .topics = {{.name = "t", .partitions = {{.index = 2, .base_offset = 5, .log_start_offset = 0}}}}};
  expect_golden(response, 7,
                "00000001 0001 't' 00000001 00000002 0000 0000000000000005 ffffffffffffffff 0000000000000000 00000000");
  response.topics[0].partitions[0].error_code = KafkaError::kInvalidRecord;
  response.topics[0].partitions[0].record_errors = {{.batch_index = 4, .batch_index_error_message = "k"}};
  expect_golden(response, 9,
                "02 02 't' 02 00000002 0057 0000000000000005 ffffffffffffffff 0000000000000000"
                "02 00000004 02 'k' 00 00 00 00 00000000 00");
  response.topics[0].partitions[0].current_leader = {.leader_id = 1, .leader_epoch = 2};
  expect_golden(response, 10,
                "02 02 't' 02 00000002 0057 0000000000000005 ffffffffffffffff 0000000000000000"
                "02 00000004 02 'k' 00 00 01 00 09 00000001 00000002 00 00 00000000 00");
}

TEST(GoldenBytes, FetchRequest) {
  FetchRequest request{.max_wait_ms = 500, .min_bytes = 1, .max_bytes = 65536, .session_epoch = 0};
  request.topics = {{.topic = "t", .partitions = {{.partition = 1, .fetch_offset = 7, .partition_max_bytes = 4096}}}};
  expect_golden(
      request, 11,
      "ffffffff 000001f4 00000001 00010000 00 00000000 00000000"
      "00000001 0001 't' 00000001 00000001 ffffffff 0000000000000007 ffffffffffffffff 00001000 00000000 0000");
  request.cluster_id = "c";
  expect_golden(request, 12,
                "ffffffff 000001f4 00000001 00010000 00 00000000 00000000"
                "02 02 't' 02 00000001 ffffffff 0000000000000007 ffffffff ffffffffffffffff 00001000 00 00 01 01"
                "01 00 02 02 'c'");
  request.topics[0].topic = {};
  request.topics[0].topic_id.bytes[15] = 9;
  request.replica_state.replica_id = 3;
  expect_golden(request, 16,
                "000001f4 00000001 00010000 00 00000000 00000000"
                "02 00000000000000000000000000000009 02 00000001 ffffffff 0000000000000007 ffffffff ffffffffffffffff "
                "00001000 00 00"
                "01 01 02 00 02 02 'c' 01 0d 00000003 ffffffffffffffff 00");
}

TEST(GoldenBytes, FetchResponse) {
  FetchResponse response{.topics = {{.topic = "t",
                                     .partitions = {{.partition_index = 1,
                                                     .high_watermark = 8,
                                                     .last_stable_offset = 8,
                                                     .log_start_offset = 0,
                                                     .records = "RR"}}}}};
  expect_golden(response, 11,
                "00000000 0000 00000000 00000001 0001 't' 00000001 00000001 0000 0000000000000008 0000000000000008 "
                "0000000000000000"
                "ffffffff ffffffff 00000002 'RR'");
  response.topics[0].partitions[0].aborted_transactions.emplace();
  expect_golden(response, 12,
                "00000000 0000 00000000 02 02 't' 02 00000001 0000 0000000000000008 0000000000000008 0000000000000000"
                "01 ffffffff 03 'RR' 00 00 00");
  response.topics[0].topic = {};
  response.topics[0].topic_id.bytes[0] = 0xaa;
  response.topics[0].partitions[0].diverging_epoch = {.epoch = 1, .end_offset = 6};
  response.node_endpoints = {{.node_id = 1, .host = "h", .port = 9}};
  expect_golden(
      response, 16,
      "00000000 0000 00000000 02 aa000000000000000000000000000000 02 00000001 0000 0000000000000008 0000000000000008"
      "0000000000000000 01 ffffffff 03 'RR' 01 00 0d 00000001 0000000000000006 00 00"
      "01 00 0d 02 00000001 02 'h' 00000009 00 00");
}

TEST(GoldenBytes, JoinGroup) {
  JoinGroupRequest request{.group_id = "g",
                           .session_timeout_ms = 10000,
                           .rebalance_timeout_ms = 60000,
                           .group_instance_id = "i",
                           .protocol_type = "consumer",
                           .protocols = {{.name = "range", .metadata = "MM"}}};
  expect_golden(request, 5,
                "0001 'g' 00002710 0000ea60 0000 0001 'i' 0008 'consumer' 00000001 0005 'range' 00000002 'MM'");
  expect_golden(request, 6, "02 'g' 00002710 0000ea60 01 02 'i' 09 'consumer' 02 06 'range' 03 'MM' 00 00");
  JoinGroupResponse response{.generation_id = 1,
                             .protocol_name = "range",
                             .leader = "m",
                             .member_id = "m",
                             .members = {{.member_id = "m", .metadata = "MM"}}};
  expect_golden(response, 5,
                "00000000 0000 00000001 0005 'range' 0001 'm' 0001 'm' 00000001 0001 'm' ffff 00000002 'MM'");
  expect_golden(response, 6, "00000000 0000 00000001 06 'range' 02 'm' 02 'm' 02 02 'm' 00 03 'MM' 00 00");
}

TEST(GoldenBytes, OffsetFetchOfAllTopics) {
  expect_golden(OffsetFetchRequest{.group_id = "g"}, 2, "0001 'g' ffffffff");
  expect_golden(OffsetFetchRequest{.groups = {{.group_id = "g"}}}, 8, "02 02 'g' 00 00 00 00");
}

TEST(GoldenBytes, WhatConsumersTellEachOther) {
  const ConsumerAssignment assignment{.assigned_partitions = {{"t", {0, 2}}}};
  const std::string golden = bytes("0000 00000001 0001 't' 00000002 00000000 00000002 ffffffff");
  EXPECT_EQ(write_assignment(assignment), golden);
  EXPECT_EQ(*read_assignment(golden), assignment);
  EXPECT_EQ(*read_subscription(bytes("0003 00000001 0001 't' 00000001 'u' 00000000 00000007 ffff")),
            (ConsumerSubscription{.topics = {"t"}, .user_data = "u"}));  // Fields of later versions stand behind.
  EXPECT_EQ(write_subscription({.topics = {"t"}}), bytes("0000 00000001 0001 't' ffffffff"));
  EXPECT_EQ(*read_assignment(""), ConsumerAssignment{});
  EXPECT_FALSE(read_assignment("x").has_value());
  EXPECT_FALSE(read_assignment(bytes("0000 7fffffff 0001")).has_value());
}

}  // namespace
}  // namespace pinflow::kafka_wire
