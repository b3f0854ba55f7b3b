#include "kafka_load.h"

#include <arpa/inet.h>
#include <atomic>
#include <cstdlib>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

#include "posting_load.h"

namespace pinflow::testing {

namespace {
constexpr int kWindow = 12;  // Records of one producer on their way: two of each kind to topic and stream.
constexpr int kFlushMilliseconds = 120'000;

void set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  char why[512];
  if (rd_kafka_conf_set(conf, name, value.c_str(), why, sizeof(why)) == RD_KAFKA_CONF_OK) return;
  fmt::print(stderr, "librdkafka: {}\n", why);
  std::abort();
}
}  // namespace

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fmt::print(stderr, "no free port on 127.0.0.1\n");
    std::abort();
  }
  ::close(socket);
  return ntohs(address.sin_port);
}

// One client and its thread. Delivery reports come on that thread alone.
class KafkaLoad::Producer {
 public:
  Producer(std::uint16_t port, std::atomic<std::int64_t>* next_ind) : next_ind_(next_ind) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", fmt::format("127.0.0.1:{}", port));
    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "1");
    set(conf, "message.timeout.ms", "0");
    set(conf, "reconnect.backoff.ms", "20");
    set(conf, "reconnect.backoff.max.ms", "200");
    set(conf, "retry.backoff.ms", "20");
    set(conf, "log_level", "2");
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      static_cast<Producer*>(self)->report(*message);
    });
    char why[512];
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (client_ == nullptr) {
      fmt::print(stderr, "librdkafka: {}\n", why);
      std::abort();
    }
    thread_ = std::thread([this] { run(); });
  }
  ~Producer() {
    finish();
    rd_kafka_destroy(client_);
  }

  void finish() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::map<std::string, std::set<std::int64_t>> acknowledged;
  std::vector<std::string> failures;

 private:
  void run() {
    const records::Names names;
    while (!stopped_ && failures.empty()) {
      const std::int64_t ind = (*next_ind_)++;
      for (const records::Kind kind : records::kKinds) {
        for (const std::string& topic : {names.topic(kind), names.stream(kind)}) send(topic, kind, ind);
      }
      while (under_way_ >= kWindow && failures.empty()) rd_kafka_poll(client_, 100);
    }
    if (rd_kafka_flush(client_, kFlushMilliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR)
      failures.push_back(fmt::format("{} records are still under way at the end", under_way_));
  }

  void send(const std::string& topic, records::Kind kind, std::int64_t ind) {
    const std::string value = post_json(kind, ind);
    const auto error =
        rd_kafka_producev(client_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::intptr_t>(ind))), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      failures.push_back(fmt::format("{}: {}", topic, rd_kafka_err2str(error)));
    } else {
      ++under_way_;
    }
  }

  void report(const rd_kafka_message_t& message) {
    --under_way_;
    const std::string topic = rd_kafka_topic_name(message.rkt);
    const auto ind = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(message._private));
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      failures.push_back(fmt::format("post {} to {}: {}", ind, topic, rd_kafka_err2str(message.err)));
    } else {
      acknowledged[topic].insert(ind);
    }
  }

  std::atomic<std::int64_t>* next_ind_;
  std::atomic<bool> stopped_ = false;
  int under_way_ = 0;
  rd_kafka_t* client_ = nullptr;
  std::thread thread_;
};

KafkaLoad::KafkaLoad(std::uint16_t port, std::int64_t first_ind, std::size_t producers) : next_ind_(first_ind) {
  for (std::size_t i = 0; i < producers; ++i) producers_.push_back(std::make_unique<Producer>(port, &next_ind_));
}

KafkaLoad::~KafkaLoad() = default;

void KafkaLoad::finish() {
  for (const auto& producer : producers_) {
    producer->finish();
    for (auto& [topic, inds] : producer->acknowledged) acknowledged_[topic].merge(inds);
    std::ranges::move(producer->failures, std::back_inserter(failures_));
  }
  producers_.clear();
}

}  // namespace pinflow::testing
