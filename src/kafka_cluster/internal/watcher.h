#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "kafka_cluster/internal/stream.h"
#include "kafka_cluster/internal/topic_cache.h"

namespace pinflow::kafka_cluster {

// Tells who waits for records that some are there. One thread and one client for all: each partition that somebody watches is read
// in small fetches from the lowest position watched. Safe from any thread; `topics` outlives it, and it outlives its watches.
class Watcher final : public StreamListener {
 public:
  Watcher(TopicCache& topics, const Cluster& cluster) : topics_(topics), cluster_(cluster) {}
  ~Watcher() override;

  std::unique_ptr<log::Watch> watch(std::span<const log::FetchPosition> positions,
                                    std::move_only_function<void()> ready);
  void notify() override;

 private:
  struct Waiter {
    std::vector<log::FetchPosition> positions;
    std::move_only_function<void()> ready;
  };
  class Withdrawal;

  void run(const std::stop_token& stop);
  Result<void> start();
  void follow();
  void look();
  void fire(const log::TopicPartition& partition, log::Offset up_to);
  void withdraw(std::uint64_t id);

  TopicCache& topics_;
  const Cluster cluster_;
  std::unique_ptr<Client> client_;                                  // The thread's, once it runs.
  std::map<log::TopicPartition, std::unique_ptr<Stream>> streams_;  // The thread's.
  std::recursive_mutex
      calling_;       // Held while a callback runs, so that a withdrawal waits for it (or is made within it).
  std::mutex mutex_;  // Of what follows.
  std::condition_variable_any wake_;
  std::map<std::uint64_t, Waiter> waiters_;
  std::uint64_t last_id_ = 0;
  bool news_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::kafka_cluster
