#include "kafka_door/server.h"

#include <gmock/gmock.h>

#include "kafka_door/door_fixture.h"

namespace pinflow::kafka_door {
namespace {

using kafka_wire::ApiVersionsRequest;
using kafka_wire::FetchRequest;
using kafka_wire::KafkaError;
using kafka_wire::MetadataRequest;
using kafka_wire::ProduceRequest;
using testing::ElementsAre;
using testing::HasSubstr;

using KafkaDoor = DoorFixture;

TEST_F(KafkaDoor, TellsItsVersionsInEveryVersionAndToClientsOfTheFuture) {
  open();
  TestClient client(port());
  for (std::int16_t version = 0; version <= 4; ++version) {
    const auto answer = client.call(ApiVersionsRequest{"test", "1"}, version);
    EXPECT_EQ(answer.error_code, KafkaError::kNone);
    EXPECT_GT(answer.api_keys.size(), 20u);
  }
  // Version 9: answered in the form of version 0, and the connection goes on.
  client.send_frame(std::string("\x00\x12\x00\x09\x00\x00\x00\x07\x00\x04test", 14) + std::string(30, '\x01'));
  const std::string frame = client.receive_frame();
  const auto header = kafka_wire::read_response_header(frame, kafka_wire::ApiKey::kApiVersions, 0);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->correlation_id, 7);
  const auto body = kafka_wire::decode_body<kafka_wire::ApiVersionsResponse>(header->body, 0);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->error_code, KafkaError::kUnsupportedVersion);
  EXPECT_GT(body->api_keys.size(), 20u);
  client.call(ApiVersionsRequest{"test", "1"}, 0);
}

TEST_F(KafkaDoor, NamesTheAddressThatTheClientDialled) {
  reopen();
  create("a", 3);
  open();
  TestClient client(port());
  for (const std::int16_t version : std::initializer_list<std::int16_t>{0, 1, 4, 9, 12}) {
    const auto answer = client.call(MetadataRequest{}, version);
    ASSERT_EQ(answer.brokers.size(), 1u);
    EXPECT_EQ(answer.brokers[0].host, "127.0.0.1");
    EXPECT_EQ(answer.brokers[0].port, port());
    ASSERT_EQ(answer.topics.size(), 1u);
    EXPECT_EQ(answer.topics[0].partitions.size(), 3u);
    EXPECT_EQ(answer.topics[0].partitions[2].leader_id, answer.brokers[0].node_id);
    if (version >= 1) EXPECT_EQ(answer.controller_id, answer.brokers[0].node_id);
    if (version >= 2) EXPECT_EQ(answer.cluster_id, "AAAAAAAAAAAAAAAAAAAAAA");
  }
  // librdkafka leaves stray bytes behind its request.
  std::string request = client.encode(MetadataRequest{}, 9);
  request[3] = static_cast<char>(request[3] + 3);
  client.send(request + std::string(3, '\0'));
  EXPECT_EQ(client.receive_response<MetadataRequest>(9).topics.size(), 1u);
  // An empty list means all in version 0 and none later.
  MetadataRequest none;
  none.topics.emplace();
  EXPECT_EQ(client.call(none, 0).topics.size(), 1u);
  EXPECT_EQ(client.call(none, 1).topics.size(), 0u);
}

TEST_F(KafkaDoor, MakesTopicsThatAClientAsksForOnlyWhereAllowed) {
  door_.default_partitions = 4;
  open();
  TestClient client(port());
  MetadataRequest request;
  request.topics.emplace().push_back({{}, "fresh"});
  request.topics->push_back({{}, "not a name"});
  request.allow_auto_topic_creation = false;
  auto answer = client.call(request, 9);
  EXPECT_EQ(answer.topics[0].error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(answer.topics[1].error_code, KafkaError::kInvalidTopicException);
  request.allow_auto_topic_creation = true;
  answer = client.call(request, 9);
  EXPECT_EQ(answer.topics[0].error_code, KafkaError::kNone);
  EXPECT_EQ(answer.topics[0].partitions.size(), 4u);
  // By id.
  const auto by_name = client.call(request, 12);
  MetadataRequest by_id;
  by_id.topics.emplace().push_back({by_name.topics[0].topic_id, std::nullopt});
  by_id.topics->push_back({Uuid{{1, 2, 3}}, std::nullopt});
  answer = client.call(by_id, 12);
  EXPECT_EQ(answer.topics[0].name, "fresh");
  EXPECT_EQ(answer.topics[1].error_code, KafkaError::kUnknownTopicId);
}

TEST_F(KafkaDoor, StoresBatchesAndGivesThemBack) {
  reopen();
  create("t");
  open();
  TestClient client(port());
  for (std::int16_t version = 3; version <= 11; ++version) {
    const std::string records = batch({"v" + std::to_string(version), "w"});
    const auto answer = client.call(produce_request("t", records), version);
    ASSERT_EQ(answer.topics.size(), 1u);
    EXPECT_EQ(answer.topics[0].partitions[0].error_code, KafkaError::kNone);
    EXPECT_EQ(answer.topics[0].partitions[0].base_offset, 2 * (version - 3));
  }
  const Uuid id = log_->topic("t")->id;
  for (std::int16_t version = 4; version <= 16; ++version) {
    FetchRequest request = fetch_request("t", 3);
    request.topics[0].topic_id = id;
    const auto answer = client.call(request, version);
    ASSERT_EQ(answer.topics.size(), 1u);
    const auto& partition = answer.topics[0].partitions[0];
    EXPECT_EQ(partition.error_code, KafkaError::kNone);
    EXPECT_EQ(partition.high_watermark, 18);
    const auto values = values_of(*partition.records);
    ASSERT_EQ(values.size(), 16u) << "the batch that holds offset 3 comes whole";
    EXPECT_EQ(values[0], "v4");
  }
}

TEST_F(KafkaDoor, AnswersPipelinedRequestsInTheirOrder) {
  reopen();
  create("t");
  open();
  TestClient client(port());
  std::string all;
  const std::string records = batch({"x"});
  for (int i = 0; i < 100; ++i) all += client.encode(produce_request("t", records), 7);
  all += client.encode(MetadataRequest{}, 1);
  all += client.encode(fetch_request("t", 0), 11);
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(client.receive_response<ProduceRequest>(7, 101 - i).topics[0].partitions[0].base_offset, i);
  }
  EXPECT_EQ(client.receive_response<MetadataRequest>(1, 1).topics.size(), 1u);
  EXPECT_EQ(values_of(*client.receive_response<FetchRequest>(11).topics[0].partitions[0].records).size(), 100u);
}

TEST_F(KafkaDoor, SaysNothingToAcks0AndClosesWhenItFails) {
  reopen();
  create("t");
  open();
  TestClient client(port());
  const std::string records = batch({"x"});
  client.send_request(produce_request("t", records, 0), 7);
  client.send_request(produce_request("t", records, 0), 7);
  EXPECT_EQ(client.call(produce_request("t", records, 1), 7).topics[0].partitions[0].base_offset, 2);
  client.send_request(produce_request("missing", records, 0), 7);
  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(lines_.text(), HasSubstr("acks=0"));
}

TEST_F(KafkaDoor, RefusesWhatCannotBeStored) {
  reopen();
  create("t");
  open();
  TestClient client(port());
  const auto error_of = [&](std::string_view records, std::int16_t version) {
    const auto answer = client.call(produce_request("t", records), version);
    return answer.topics.at(0).partitions.at(0).error_code;
  };
  const std::string good = batch({"x"});
  EXPECT_EQ(error_of(good + good, 7), KafkaError::kInvalidRecord);
  std::string bad = good;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  EXPECT_EQ(error_of(bad, 7), KafkaError::kCorruptMessage);
  bad = good;
  bad[16] = 1;
  EXPECT_EQ(error_of(bad, 7), KafkaError::kUnsupportedForMessageFormat);
  bad = good;
  bad[22] = 4;
  EXPECT_EQ(error_of(bad, 6), KafkaError::kUnsupportedCompressionType);
  EXPECT_EQ(error_of(good.substr(0, 65), 7), KafkaError::kCorruptMessage);
  EXPECT_EQ(error_of("", 7), KafkaError::kInvalidRecord);
  EXPECT_EQ(error_of(batch({std::string(2 << 20, 'x')}), 7), KafkaError::kMessageTooLarge);
  EXPECT_EQ(error_of(good, 2), KafkaError::kUnsupportedVersion);
  ProduceRequest request = produce_request("t", good, 5);
  EXPECT_EQ(client.call(request, 7).topics[0].partitions[0].error_code, KafkaError::kInvalidRequiredAcks);
  request = produce_request("t", good);
  request.transactional_id = "mine";
  EXPECT_EQ(client.call(request, 7).topics[0].partitions[0].error_code,
            KafkaError::kTransactionalIdAuthorizationFailed);
  EXPECT_TRUE(read_all("t").empty());
}

TEST_F(KafkaDoor, WakesALongPollWhenARecordComes) {
  reopen();
  create("t");
  open();
  TestClient reader(port());
  TestClient writer(port());
  FetchRequest request = fetch_request("t", 0);
  request.max_wait_ms = 60'000;
  reader.send_request(request, 11);
  EXPECT_FALSE(reader.has_bytes(50));
  const std::string records = batch({"news"});
  writer.call(produce_request("t", records), 7);
  const auto answer = reader.receive_response<FetchRequest>(11);
  EXPECT_THAT(values_of(*answer.topics[0].partitions[0].records), ElementsAre("news"));
}

TEST_F(KafkaDoor, WaitsForMinBytesAndGivesWhatIsThereInTheEnd) {
  reopen();
  create("t");
  open();
  TestClient reader(port());
  TestClient writer(port());
  FetchRequest request = fetch_request("t", 0);
  request.max_wait_ms = 60'000;
  request.min_bytes = 150;  // Two batches.
  reader.send_request(request, 11);
  writer.call(produce_request("t", batch({"first"})), 7);
  EXPECT_FALSE(reader.has_bytes(50));
  writer.call(produce_request("t", batch({std::string(60, 'y')})), 7);
  EXPECT_EQ(values_of(*reader.receive_response<FetchRequest>(11).topics[0].partitions[0].records).size(), 2u);
  request.min_bytes = 1 << 20;
  request.max_wait_ms = 30;
  EXPECT_EQ(values_of(*reader.call(request, 11).topics[0].partitions[0].records).size(), 2u);
}

TEST_F(KafkaDoor, KeepsTheLimitsOfAFetchButForTheFirstBatch) {
  reopen();
  create("t");
  create("u");
  open();
  TestClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.call(produce_request("t", batch({std::string(10'000, 'x')})), 7);
    client.call(produce_request("u", batch({std::string(10'000, 'x')})), 7);
  }
  FetchRequest request = fetch_request("t", 0);
  request.topics.push_back(request.topics[0]);
  request.topics[1].topic = "u";
  const auto sizes = [&] {
    const auto answer = client.call(request, 11);
    return std::pair(values_of(*answer.topics[0].partitions[0].records).size(),
                     values_of(*answer.topics[1].partitions[0].records).size());
  };
  EXPECT_EQ(sizes(), std::pair(3ul, 3ul));
  request.topics[0].partitions[0].partition_max_bytes = 15'000;
  EXPECT_EQ(sizes(), std::pair(1ul, 3ul));
  request.max_bytes = 1;
  const auto [first, second] = sizes();
  EXPECT_EQ(first + second, 1u);
  const auto [third, fourth] = sizes();
  EXPECT_EQ(third + fourth, 1u);
  EXPECT_NE(first, third) << "the partitions take turns";
}

TEST_F(KafkaDoor, TellsWhereAFetchCannotRead) {
  reopen();
  create("t");
  write("t", "x");
  open();
  TestClient client(port());
  const auto error_of = [&](const FetchRequest& request, std::int16_t version) {
    const auto answer = client.call(request, version);
    return answer.topics.empty() ? answer.error_code : answer.topics[0].partitions[0].error_code;
  };
  EXPECT_EQ(error_of(fetch_request("t", 2), 11), KafkaError::kOffsetOutOfRange);
  EXPECT_EQ(error_of(fetch_request("t", -1), 11), KafkaError::kOffsetOutOfRange);
  EXPECT_EQ(error_of(fetch_request("t", 1), 11), KafkaError::kNone);
  EXPECT_EQ(error_of(fetch_request("missing", 0), 11), KafkaError::kUnknownTopicOrPartition);
  EXPECT_EQ(error_of(fetch_request("t", 0), 13), KafkaError::kUnknownTopicId);
  FetchRequest request = fetch_request("t", 0);
  request.topics[0].partitions[0].current_leader_epoch = 1'000;
  EXPECT_EQ(error_of(request, 11), KafkaError::kUnknownLeaderEpoch);
  request = fetch_request("t", 0);
  request.session_id = 5;
  request.session_epoch = 1;
  EXPECT_EQ(error_of(request, 11), KafkaError::kFetchSessionIdNotFound);
  request.session_id = 0;
  request.session_epoch = 0;
  const auto answer = client.call(request, 11);
  EXPECT_EQ(answer.session_id, 0);
  EXPECT_EQ(answer.topics.size(), 1u);
}

TEST_F(KafkaDoor, FindsOffsets) {
  reopen();
  create("t");
  write("t", "a");
  clock_.advance(std::chrono::seconds(10));
  write("t", "b");
  open();
  TestClient client(port());
  const auto at = [&](std::int64_t timestamp, std::int16_t version) {
    kafka_wire::ListOffsetsRequest request;
    request.topics.push_back({"t", {{0, -1, timestamp}}});
    const auto answer = client.call(request, version).topics.at(0).partitions.at(0);
    EXPECT_EQ(answer.error_code, KafkaError::kNone);
    return version == 0 ? answer.old_style_offsets.at(0) : answer.offset;
  };
  const std::int64_t now = clock_.now().time_since_epoch().count();
  for (std::int16_t version = 0; version <= 9; ++version) {
    EXPECT_EQ(at(-1, version), 2);
    EXPECT_EQ(at(-2, version), 0);
    EXPECT_EQ(at(now - 5'000, version), 1);
  }
  EXPECT_EQ(at(-3, 7), 1);
  EXPECT_EQ(at(now + 1, 7), -1);
}

TEST_F(KafkaDoor, GivesProducerIdsButNoTransactions) {
  open();
  TestClient client(port());
  const auto first = client.call(kafka_wire::InitProducerIdRequest{}, 4);
  const auto second = client.call(kafka_wire::InitProducerIdRequest{}, 4);
  EXPECT_EQ(first.error_code, KafkaError::kNone);
  EXPECT_GE(first.producer_id, 0);
  EXPECT_NE(first.producer_id, second.producer_id);
  kafka_wire::InitProducerIdRequest transactional;
  transactional.transactional_id = "mine";
  EXPECT_EQ(client.call(transactional, 4).error_code, KafkaError::kTransactionalIdAuthorizationFailed);
}

TEST_F(KafkaDoor, NamesWhatIsNotOfferedInTheLogAndCloses) {
  open();
  TestClient client(port());
  client.send_frame(std::string("\x00\x18\x00\x03\x00\x00\x00\x07\x00\x04kate", 14) + std::string(30, '\0'));
  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(lines_.text(), HasSubstr("AddPartitionsToTxn (24) v3"));
  EXPECT_THAT(lines_.text(), HasSubstr("client_id=kate"));
  TestClient web(port());
  web.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(web.is_closed());
  TestClient strange(port());
  strange.send_frame("x");
  EXPECT_TRUE(strange.is_closed());
}

TEST_F(KafkaDoor, StopsWhileALongPollWaits) {
  reopen();
  create("t");
  open();
  TestClient reader(port());
  FetchRequest request = fetch_request("t", 0);
  request.max_wait_ms = 60'000;
  reader.send_request(request, 11);
  EXPECT_FALSE(reader.has_bytes(50));
  server_->stop(std::chrono::seconds(5));
  EXPECT_EQ(reader.receive_response<FetchRequest>(11).topics.size(), 1u);
  EXPECT_TRUE(reader.is_closed());
}

TEST_F(KafkaDoor, RefusesToServeStrangersUnlessToldSo) {
  reopen();
  door_.addresses = {"0.0.0.0"};
  auto refused = start();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("kafka.insecure_remote"));
  door_.users = {{"kate", "secret"}};
  refused = start();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("PLAIN"));
  door_.mechanisms = {SaslMechanism::kScramSha256};
  EXPECT_TRUE(start());
  door_.users.clear();
  door_.insecure_remote = true;
  EXPECT_TRUE(start());
}

}  // namespace
}  // namespace pinflow::kafka_door
