#pragma once

#include <initializer_list>
#include <librdkafka/rdkafka.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace pinflow::kafka_door {

using RdSettings = std::vector<std::pair<std::string, std::string>>;

// A foreign client, librdkafka, in verbs. For tests. No call waits longer than twenty seconds.
class RdClient final {
 public:
  RdClient(rd_kafka_type_t type, std::uint16_t port, const RdSettings& settings) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    char error[512] = {};
    const auto set = [&](const std::string& name, const std::string& value) {
      EXPECT_EQ(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error), RD_KAFKA_CONF_OK) << error;
    };
    set("bootstrap.servers", "127.0.0.1:" + std::to_string(port));
    set("log_level", "0");
    for (const auto& [name, value] : settings) set(name, value);
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      auto& counts = static_cast<RdClient*>(self)->delivered_;
      ++counts[rd_kafka_err2name(message->err)];
    });
    rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t*, int code, const char* reason, void* self) {
      auto& errors = static_cast<RdClient*>(self)->errors_;
      errors += std::string(rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code))) + ": " + reason + "\n";
    });
    client_ = rd_kafka_new(type, conf, error, sizeof error);
    EXPECT_NE(client_, nullptr) << error;
  }
  ~RdClient() {
    if (client_ == nullptr) return;
    rd_kafka_purge(client_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_destroy(client_);
  }
  RdClient(const RdClient&) = delete;
  RdClient& operator=(const RdClient&) = delete;

  void send(const std::string& topic, const std::string& value, const std::string& key = "") {
    const auto error =
        rd_kafka_producev(client_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END);
    EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  // How many messages ended with which name of an error ("NO_ERROR").
  const std::map<std::string, int>& flush(int milliseconds = 20'000) {
    rd_kafka_flush(client_, milliseconds);
    return delivered_;
  }

  // Reads values from one partition's beginning until there are so many.
  std::vector<std::string> read(const std::string& topic, std::size_t count) {
    rd_kafka_topic_partition_list_t* const where = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(where, topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    EXPECT_EQ(rd_kafka_assign(client_, where), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(where);
    std::vector<std::string> values;
    for (int tries = 0; values.size() < count && tries < 200;) {
      rd_kafka_message_t* const message = rd_kafka_consumer_poll(client_, 100);
      if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++tries;
      } else {
        values.emplace_back(static_cast<const char*>(message->payload), message->len);
      }
      if (message != nullptr) rd_kafka_message_destroy(message);
    }
    return values;
  }

  // Whether it gets to know the cluster.
  bool knows_cluster(int milliseconds) {
    const struct rd_kafka_metadata* metadata = nullptr;
    const auto error = rd_kafka_metadata(client_, 0, nullptr, &metadata, milliseconds);
    if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
    rd_kafka_poll(client_, 0);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  const std::string& errors() const { return errors_; }

 private:
  rd_kafka_t* client_ = nullptr;
  std::map<std::string, int> delivered_;
  std::string errors_;
};

}  // namespace pinflow::kafka_door
