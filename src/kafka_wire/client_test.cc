#include "kafka_wire/client.h"

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "kafka_wire/cluster.h"
#include "kafka_wire/messages/groups.h"

namespace pinflow::kafka_wire {
namespace {

using namespace std::chrono_literals;

// A listening socket of this machine, with one thread that answers what a test says. Connections come one after the other.
class FakeBroker {
 public:
  // Makes the bytes to send back for a request; empty: close the connection.
  using Answer = std::function<std::string(const RequestHeader&)>;

  explicit FakeBroker(Answer answer) : answer_(std::move(answer)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listening_, 8), 0);
    socklen_t size = sizeof address;
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint = {"127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::jthread([this] { serve(); });
  }
  ~FakeBroker() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
  }

  Endpoint endpoint;

 private:
  static bool read_exactly(int socket, char* out, std::size_t size) {
    while (size > 0) {
      const ssize_t got = ::recv(socket, out, size, 0);
      if (got <= 0) return false;
      out += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }

  void serve() {
    while (true) {
      const int connection = ::accept(listening_, nullptr, nullptr);
      if (connection < 0) return;
      while (serve_one(connection)) {
      }
      ::close(connection);
    }
  }

  bool serve_one(int connection) {
    std::string frame(4, '\0');
    if (!read_exactly(connection, frame.data(), 4)) return false;
    frame.resize(**frame_size(frame) - 4);
    if (!read_exactly(connection, frame.data(), frame.size())) return false;
    const std::string reply = answer_(*read_request_header(frame));
    // Byte by byte: the client must put them together.
    for (const char& byte : reply)
      if (::send(connection, &byte, 1, MSG_NOSIGNAL) != 1) return false;
    return !reply.empty();
  }

  Answer answer_;
  int listening_;
  std::jthread thread_;
};

std::string versions(const RequestHeader& header, std::vector<ApiVersionsResponse::ApiVersion> offered) {
  return encode_response(ApiVersionsResponse{.api_keys = std::move(offered)}, header.version, header.correlation_id)
      .flat();
}

bool asks(const RequestHeader& header, ApiKey key) {
  return header.api != nullptr && header.api->key == key;
}

TEST(Endpoint, ReadsHostAndPort) {
  EXPECT_EQ(*Endpoint::parse("kafka:9093"), (Endpoint{"kafka", 9093}));
  EXPECT_EQ(*Endpoint::parse("kafka"), (Endpoint{"kafka", 9092}));
  EXPECT_EQ(*Endpoint::parse("[::1]:9094"), (Endpoint{"::1", 9094}));
  EXPECT_EQ(Endpoint::parse("[::1]")->to_string(), "[::1]:9092");
  for (const char* wrong : {"", ":9092", "a:", "a:0", "a:99999", "a:9x", "[::1", "[::1]x", "::1"})
    EXPECT_FALSE(Endpoint::parse(wrong).has_value()) << wrong;
}

TEST(Client, TakesTheHighestVersionThatBothKnow) {
  std::atomic<std::int16_t> asked = -1;
  FakeBroker broker([&](const RequestHeader& header) {
    if (asks(header, ApiKey::kApiVersions)) return versions(header, {{16, 0, 4}, {12, 0, 99}});
    asked = header.version;
    return encode_response(ListGroupsResponse{.groups = {{.group_id = "g"}}}, header.version, header.correlation_id)
        .flat();
  });
  const auto client = Client::connect(broker.endpoint);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  const auto groups = (*client)->call(ListGroupsRequest{});
  ASSERT_TRUE(groups.has_value()) << groups.error().message;
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(groups->groups[0].group_id, "g");
  EXPECT_EQ(*(*client)->version_for(ApiKey::kHeartbeat), 4);  // Ours is the lower one.
  EXPECT_EQ(*(*client)->version_for(ApiKey::kHeartbeat, 2), 2);
}

TEST(Client, SaysWhichVersionsDoNotMeet) {
  FakeBroker broker([&](const RequestHeader& header) { return versions(header, {{1, 17, 18}}); });
  const auto client = Client::connect(broker.endpoint);
  ASSERT_TRUE(client.has_value());
  const auto fetch = (*client)->version_for(ApiKey::kFetch);
  ASSERT_FALSE(fetch.has_value());
  EXPECT_NE(fetch.error().message.find("Fetch in versions 17 to 18, this command speaks 4 to 16"), std::string::npos)
      << fetch.error().message;
  EXPECT_NE((*client)->version_for(ApiKey::kHeartbeat).error().message.find("does not offer Heartbeat"),
            std::string::npos);
}

TEST(Client, SaysWhereNothingListens) {
  Endpoint closed;
  {
    FakeBroker broker([](const RequestHeader&) { return std::string(); });
    closed = broker.endpoint;
  }
  const auto client = Client::connect(closed);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(client.error().message,
            fmt::format("nothing answers at 127.0.0.1 port {}: Connection refused", closed.port));
}

TEST(Client, SuspectsTlsOrSaslWhenTheConnectionIsClosedAtOnce) {
  FakeBroker broker([](const RequestHeader&) { return std::string(); });
  const auto client = Client::connect(broker.endpoint);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(client.error().message.find("TLS or SASL"), std::string::npos) << client.error().message;
}

TEST(Client, EndsACallThatGetsNoAnswer) {
  FakeBroker broker([](const RequestHeader& header) {
    if (asks(header, ApiKey::kApiVersions)) return versions(header, {{16, 0, 4}});
    return std::string("\0", 1);  // One byte, then nothing: the next request never comes.
  });
  const auto client = Client::connect(broker.endpoint, {.timeout = 200ms});
  ASSERT_TRUE(client.has_value());
  const auto groups = (*client)->call(ListGroupsRequest{});
  ASSERT_FALSE(groups.has_value());
  EXPECT_NE(groups.error().message.find("ListGroups asked of the Kafka broker at 127.0.0.1"), std::string::npos);
  EXPECT_NE(groups.error().message.find("no answer in time"), std::string::npos) << groups.error().message;
}

TEST(Client, RefusesAnAnswerToAnotherRequestAndOneThatIsTooLarge) {
  std::atomic<bool> large = false;
  FakeBroker broker([&](const RequestHeader& header) {
    if (asks(header, ApiKey::kApiVersions)) return versions(header, {{16, 0, 0}});
    if (large) return std::string("\x7f\xff\xff\xff", 4);
    return encode_response(ListGroupsResponse{}, header.version, header.correlation_id + 1).flat();
  });
  const auto client = Client::connect(broker.endpoint);
  ASSERT_TRUE(client.has_value());
  const auto other = (*client)->call(ListGroupsRequest{});
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().message.find("belongs to request 3, not to 2"), std::string::npos) << other.error().message;
  large = true;
  EXPECT_FALSE((*client)->call(ListGroupsRequest{}).has_value());
}

TEST(Cluster, FindsTheCoordinatorOfAGroupOnAnotherBroker) {
  FakeBroker second([](const RequestHeader& header) { return versions(header, {{16, 0, 0}}); });
  FakeBroker first([&](const RequestHeader& header) {
    if (asks(header, ApiKey::kApiVersions)) return versions(header, {{10, 0, 6}});
    EXPECT_EQ(header.version, 3);
    FindCoordinatorResponse response{.node_id = 2, .host = second.endpoint.host, .port = second.endpoint.port};
    return encode_response(response, header.version, header.correlation_id).flat();
  });
  const auto cluster = Cluster::connect(first.endpoint.to_string());
  ASSERT_TRUE(cluster.has_value()) << cluster.error().message;
  const auto coordinator = (*cluster)->coordinator("g");
  ASSERT_TRUE(coordinator.has_value()) << coordinator.error().message;
  EXPECT_EQ((*coordinator)->endpoint(), second.endpoint);
  EXPECT_EQ(*(*cluster)->coordinator("g"), *coordinator);  // The connection is kept.
  EXPECT_FALSE((*cluster)->node(7).has_value());
}

TEST(Cluster, TriesTheNextAddress) {
  Endpoint closed;
  {
    FakeBroker gone([](const RequestHeader&) { return std::string(); });
    closed = gone.endpoint;
  }
  FakeBroker broker([](const RequestHeader& header) { return versions(header, {}); });
  EXPECT_TRUE(Cluster::connect(closed.to_string() + "," + broker.endpoint.to_string()).has_value());
  EXPECT_FALSE(Cluster::connect(closed.to_string()).has_value());
  EXPECT_FALSE(Cluster::connect("").has_value());
}

TEST(Cluster, TellsErrorCodesInWords) {
  EXPECT_EQ(error_of(KafkaError::kUnknownTopicOrPartition, "topic 'x'").message,
            "topic 'x': the Kafka broker answers UNKNOWN_TOPIC_OR_PARTITION");
  EXPECT_EQ(error_of(KafkaError::kUnknownTopicOrPartition, "topic 'x'").code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(KafkaError::kNonEmptyGroup, "group 'g'").code, ErrorCode::kConflict);
  EXPECT_EQ(error_of(KafkaError::kNotController, "topic 'x'", "ask another").message,
            "topic 'x': ask another (the Kafka broker answers NOT_CONTROLLER)");
  EXPECT_EQ(error_of(KafkaError::kNotController, "").code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pinflow::kafka_wire
