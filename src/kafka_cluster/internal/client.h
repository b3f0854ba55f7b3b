#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/logger.h"
#include "kafka_cluster/internal/handles.h"
#include "kafka_cluster/kafka_log.h"

namespace pinflow::kafka_cluster {

using Properties = std::vector<std::pair<std::string, std::string>>;

// What clients heard last of the cluster as a whole, for the message of who waits in vain. Safe from any thread.
class ClusterHealth final {
 public:
  void failed(rd_kafka_resp_err_t error, std::string_view reason);
  void succeeded();
  std::optional<Error> error() const;
  // Whether a broker would not have us as we are: its certificate or our credentials are not as they must be.
  bool refused() const;
  // The error, if no broker at all can be reached: one that is away is no trouble of who reads from others.
  std::optional<Error> down() const;
  // The error of the cluster, or else `otherwise`.
  Error explain(Error otherwise) const;

 private:
  mutable std::mutex mutex_;
  std::optional<Error> error_;
  bool all_down_ = false;
  bool refused_ = false;
};

// What all clients of one log share. Outlives them.
struct Cluster {
  const KafkaLogOptions& options;
  const Clock& clock;
  Logger& logger;
  ClusterHealth& health;
};

// Callbacks of one client; run on the thread that serves it.
struct ClientHooks {
  std::function<void(const rd_kafka_message_t& message)> delivered;
  std::function<void(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions)> rebalance;
  std::function<void()> fatal;  // It can do nothing more.
};

// kInvalid names a property that is not there, or that the log sets itself.
Result<void> check_properties(const Properties& properties);

// One librdkafka client with its connections. Whoever serves it (serve(), or a poll of a consumer) must stop before it ends; the
// hooks' owner outlives it.
class Client final {
 public:
  // `own` goes over the properties of the options.
  static Result<std::unique_ptr<Client>> open(rd_kafka_type_t type, const Properties& own, ClientHooks hooks,
                                              const Cluster& cluster);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  // Starts a thread that runs the callbacks, until the client ends.
  void serve();

 private:
  Client(ClientHooks hooks, const Cluster& cluster) : hooks_(std::move(hooks)), cluster_(cluster) {}
  Result<ConfHandle> configure(const Properties& own);
  void refresh_token(rd_kafka_t* client);

  const ClientHooks hooks_;
  const Cluster cluster_;
  rd_kafka_t* handle_ = nullptr;
  QueueHandle main_queue_;
  std::jthread server_;
};

}  // namespace pinflow::kafka_cluster
