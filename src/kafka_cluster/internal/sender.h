#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kafka_cluster/internal/producer.h"

namespace pinflow::kafka_cluster {

// Sends records in batches that the brokers take. A broker refuses a batch over its topic's max.message.bytes whole, however small each
// of its records is. So topics with a low limit have a producer of small batches; and what is refused all the same, as the limit was not
// known, is sent again alone: only a record that is refused then is too large. Such records may come behind those of later calls; those
// of one call and partition stay in order. Safe from any thread.
class Sender final {
 public:
  // `doubted` hears of topics where a record or a batch was too large: their limit may be another than it was. Called from any thread, must
  // not block.
  using Doubted = std::function<void(const std::string& topic)>;
  static Result<std::unique_ptr<Sender>> open(const Cluster& cluster, Doubted doubted);
  // Ends the producers, as they say; what would be sent again then is answered with kCancelled.
  ~Sender();

  // Never blocks. `partitions` says where each record goes and is as long as `records`; `most_bytes` is what is known as the limit of one
  // record. kOverloaded: more than `max_pending` bytes wait.
  void produce(const std::string& topic, std::vector<log::PartitionId> partitions, std::vector<log::Record> records,
               std::size_t most_bytes, log::ProduceDone done);
  // Looks at the topic's partitions anew. Blocks for a round trip.
  void learn(const std::string& topic);

 private:
  static constexpr std::size_t kProducers = 3;
  struct Call;

  Sender(const Cluster& cluster, Doubted doubted) : cluster_(cluster), doubted_(std::move(doubted)) {}
  Result<Producer*> producer(std::size_t number);
  void send_alone(std::shared_ptr<Call> call, Sent sent);
  void answer(Call& call, std::vector<Result<log::Appended>> results);

  const Cluster cluster_;
  const Doubted doubted_;
  std::atomic<std::size_t> pending_{0};  // Bytes not yet answered.
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // Of opening producers; they stay until the end.
  std::array<std::unique_ptr<Producer>, kProducers>
      producers_;  // From the largest batches to single records; opened when needed.
};

}  // namespace pinflow::kafka_cluster
