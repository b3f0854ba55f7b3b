#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kafka_cluster/internal/client.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

// What one request to a broker may have for one partition. A record that alone has more bytes goes alone.
struct BatchLimits {
  std::size_t bytes = 0;
  std::size_t records = 0;
};

// What became of the records of a call.
struct Sent {
  std::vector<Result<log::Appended>> results;
  std::vector<std::size_t> refused;  // Places of those whose batch a broker found too large. They are not stored.
  std::vector<log::Record> records;  // As they were given.
};
using SentDone = std::move_only_function<void(Sent)>;

// Key, value and headers.
std::size_t payload_of(const log::Record& record);

// Sends records with one idempotent producer (acks=all) and gathers the answers of each call. A thread of its own runs the callbacks,
// and opens another producer when the first can do nothing more. Safe from any thread.
class Producer final {
 public:
  static Result<std::unique_ptr<Producer>> open(const Cluster& cluster, BatchLimits limits);
  // Gives what is under way a few seconds. What was not sent then is answered with kCancelled, what was with kUnknownOutcome.
  ~Producer();

  // Never blocks. `partitions` says where each record goes and is as long as `records`; `most_bytes` is the limit of one record.
  // What waits is not bounded here.
  void produce(const std::string& topic, std::vector<log::PartitionId> partitions, std::vector<log::Record> records,
               std::size_t most_bytes, SentDone done);
  // Looks at the topic's partitions anew: the client does so by itself only now and then. Blocks for a round trip.
  void learn(const std::string& topic);

 private:
  struct Call;
  // What a message carries: whose it is and which.
  struct Slot {
    Call* call = nullptr;
    std::size_t index = 0;
    bool refused = false;
  };
  // One call of produce(). Ends itself with the last answer.
  struct Call {
    std::string topic;
    std::vector<log::Record> records;  // Values are not copied: they stay until they are answered.
    std::vector<Slot> slots;
    std::vector<Result<log::Appended>> results;
    SentDone done;
    std::atomic<std::size_t> left{1};  // Answers to come, and one while records are handed over.
    void answered(std::size_t count);
  };

  Producer(const Cluster& cluster, BatchLimits limits) : cluster_(cluster), limits_(limits) {}
  Result<std::unique_ptr<Client>> open_client();
  void run();
  void reopen();
  void drain(Client& client);
  rd_kafka_resp_err_t send(rd_kafka_topic_t* topic, const log::Record& record, log::PartitionId partition, Slot& slot);
  rd_kafka_topic_t* topic_handle(const std::string& name);
  void delivered(const rd_kafka_message_t& message);
  Error delivery_error(const rd_kafka_message_t& message, const Call& call, std::size_t size) const;

  const Cluster cluster_;
  const BatchLimits limits_;
  std::atomic<bool> fatal_{false};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // Of the client and its topics; keeps the records of one call next to each other.
  std::unique_ptr<Client> client_;
  std::map<std::string, TopicHandle, std::less<>> topics_;
  std::thread thread_;
};

}  // namespace pinflow::kafka_cluster
