#include <gmock/gmock.h>

#include "kafka_door/door_fixture.h"
#include "kafka_door/rdkafka_fixture.h"
#include "net/certificates_fixture.h"

namespace pinflow::kafka_door {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class KafkaDoorToLibrdkafka : public DoorFixture {
 protected:
  // librdkafka stamps records with the time of the machine, which the log shall find plausible.
  KafkaDoorToLibrdkafka() {
    clock_.jump_wall(std::chrono::duration_cast<std::chrono::milliseconds>(SystemClock().now() - clock_.now()));
  }
  void SetUp() override {
#if __has_feature(thread_sanitizer)
    GTEST_SKIP() << "librdkafka starts threads in a way that the thread sanitizer does not see, and crashes under it";
#endif
  }
  // One message there and back.
  void expect_round_trip(const RdSettings& settings) {
    RdClient producer(RD_KAFKA_PRODUCER, port(), settings);
    producer.send("t", "hello");
    EXPECT_THAT(producer.flush(), ElementsAre(Pair("NO_ERROR", 1))) << producer.errors();
    RdSettings reading = settings;
    reading.emplace_back("group.id", "g");
    RdClient consumer(RD_KAFKA_CONSUMER, port(), reading);
    EXPECT_THAT(consumer.read("t", 1), ElementsAre("hello")) << consumer.errors();
  }
  void expect_refused(const RdSettings& settings, const std::string& why) {
    RdClient client(RD_KAFKA_PRODUCER, port(), settings);
    EXPECT_FALSE(client.knows_cluster(1'000));
    EXPECT_THAT(client.errors(), HasSubstr(why));
  }
};

TEST_F(KafkaDoorToLibrdkafka, CarriesEveryCompression) {
  open();
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    RdClient producer(RD_KAFKA_PRODUCER, port(), {{"compression.type", codec}, {"linger.ms", "20"}});
    std::vector<std::string> sent;
    for (int i = 0; i < 500; ++i) {
      sent.push_back(codec + " " + std::to_string(i) + std::string(200, 'x'));
      producer.send(codec, sent.back());
    }
    ASSERT_THAT(producer.flush(), ElementsAre(Pair("NO_ERROR", 500))) << codec << producer.errors();
    const auto read = log_->read_batches({codec, log::PartitionId(0)}, log::Offset(0), 1 << 20, true);
    ASSERT_TRUE(read);
    const auto header = log::check_batch(read->bytes);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->codec() != 0, codec != "none") << "batches are stored as they were sent";
    RdClient consumer(RD_KAFKA_CONSUMER, port(), {{"group.id", "g"}});
    EXPECT_EQ(consumer.read(codec, sent.size()), sent) << codec << consumer.errors();
  }
}

TEST_F(KafkaDoorToLibrdkafka, IsIdempotent) {
  open();
  RdClient producer(RD_KAFKA_PRODUCER, port(), {{"enable.idempotence", "true"}});
  for (int i = 0; i < 200; ++i) producer.send("t", std::to_string(i));
  EXPECT_THAT(producer.flush(), ElementsAre(Pair("NO_ERROR", 200))) << producer.errors();
  EXPECT_EQ(values("t").size(), 200u);
}

TEST_F(KafkaDoorToLibrdkafka, LetsUsersInByEveryMechanism) {
  door_.users = {{"kate", "se=same"}, {"tom", "other"}};
  open();
  for (const std::string mechanism : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    expect_round_trip({{"security.protocol", "SASL_PLAINTEXT"},
                       {"sasl.mechanisms", mechanism},
                       {"sasl.username", "kate"},
                       {"sasl.password", "se=same"}});
    ASSERT_TRUE(log_->delete_topic("t"));
    expect_refused({{"security.protocol", "SASL_PLAINTEXT"},
                    {"sasl.mechanisms", mechanism},
                    {"sasl.username", "kate"},
                    {"sasl.password", "other"}},
                   "invalid credentials");
  }
  EXPECT_THAT(lines_.text(), HasSubstr("user=kate"));
  EXPECT_THAT(lines_.text(), testing::Not(HasSubstr("other")));
  // Without authentication nothing but ApiVersions is answered.
  TestClient client(port());
  client.call(kafka_wire::ApiVersionsRequest{"test", "1"}, 3);
  client.send_request(kafka_wire::MetadataRequest{}, 1);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(KafkaDoorToLibrdkafka, SpeaksTls) {
  net::Certificates certificates;
  certificates.issue("door");
  door_.tls.certificate = certificates.certificate("door");
  door_.tls.key = certificates.key("door");
  open();
  expect_round_trip({{"security.protocol", "SSL"}, {"ssl.ca.location", certificates.certificate("ca")}});
  // In the clear nothing is said.
  TestClient client(port());
  client.send_request(kafka_wire::ApiVersionsRequest{"test", "1"}, 0);
  EXPECT_TRUE(client.is_closed());
  door_.tls.allow_plaintext = true;
  open();
  ASSERT_TRUE(log_->delete_topic("t"));
  expect_round_trip({{"security.protocol", "SSL"}, {"ssl.ca.location", certificates.certificate("ca")}});
  ASSERT_TRUE(log_->delete_topic("t"));
  expect_round_trip({});
}

TEST_F(KafkaDoorToLibrdkafka, AsksForCertificatesOfClients) {
  net::Certificates certificates;
  certificates.issue("door");
  certificates.issue("kate");
  net::Certificates strangers;
  strangers.issue("kate");
  door_.tls.certificate = certificates.certificate("door");
  door_.tls.key = certificates.key("door");
  door_.tls.client_ca = certificates.certificate("ca");
  open();
  const auto with = [&](const net::Certificates& from) {
    return RdSettings{{"security.protocol", "SSL"},
                      {"ssl.ca.location", certificates.certificate("ca")},
                      {"ssl.certificate.location", from.certificate("kate")},
                      {"ssl.key.location", from.key("kate")}};
  };
  expect_round_trip(with(certificates));
  expect_refused(with(strangers), "SSL");
  expect_refused({{"security.protocol", "SSL"}, {"ssl.ca.location", certificates.certificate("ca")}}, "SSL");
}

TEST_F(KafkaDoorToLibrdkafka, TakesNewCertificatesWithoutARestartAndKeepsTheOldOnesWhenTheNewAreBad) {
  net::Certificates first;
  first.issue("door");
  net::Certificates second;
  second.issue("door");
  const auto put = [&](const net::Certificates& from) {
    std::filesystem::copy_file(from.certificate("door"), first.certificate("used"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(from.key("door"), first.key("used"), std::filesystem::copy_options::overwrite_existing);
  };
  put(first);
  door_.tls.certificate = first.certificate("used");
  door_.tls.key = first.key("used");
  open();
  put(second);
  ASSERT_TRUE(server_->reload_certificates());
  expect_round_trip({{"security.protocol", "SSL"}, {"ssl.ca.location", second.certificate("ca")}});
  std::filesystem::copy_file(first.key("door"), first.key("used"), std::filesystem::copy_options::overwrite_existing);
  const auto reloaded = server_->reload_certificates();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, HasSubstr("kafka.tls_key"));
  ASSERT_TRUE(log_->delete_topic("t"));
  expect_round_trip({{"security.protocol", "SSL"}, {"ssl.ca.location", second.certificate("ca")}});
}

TEST_F(KafkaDoorToLibrdkafka, CarriesBatchesLargerThanATlsRecordAndABuffer) {
  net::Certificates certificates;
  certificates.issue("door");
  door_.tls.certificate = certificates.certificate("door");
  door_.tls.key = certificates.key("door");
  door_.tls.allow_plaintext = true;
  open();
  for (const RdSettings& settings :
       {RdSettings{}, RdSettings{{"security.protocol", "SSL"}, {"ssl.ca.location", certificates.certificate("ca")}}}) {
    RdClient producer(RD_KAFKA_PRODUCER, port(), settings);
    std::vector<std::string> sent;
    for (int i = 0; i < 12; ++i) {
      sent.emplace_back(900'000, static_cast<char>('a' + i));
      producer.send("t", sent.back());
    }
    ASSERT_THAT(producer.flush(), ElementsAre(Pair("NO_ERROR", 12))) << producer.errors();
    RdSettings reading = settings;
    reading.emplace_back("group.id", "g");
    {  // Its end comes before the topic's: librdkafka may wait for ever for a partition that is gone.
      RdClient consumer(RD_KAFKA_CONSUMER, port(), reading);
      EXPECT_EQ(consumer.read("t", sent.size()), sent) << consumer.errors();
    }
    ASSERT_TRUE(log_->delete_topic("t"));
  }
}

}  // namespace
}  // namespace pinflow::kafka_door
