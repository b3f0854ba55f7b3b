#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kafka_cluster/internal/admin.h"

namespace pinflow::kafka_cluster {

// What topics there are, from memory. A thread of its own asks the brokers every metadata interval, and soon after somebody misses a
// topic. A topic's id is made of the cluster's id, its name, and how often this process saw it go and come again. Safe from any
// thread. `admin` outlives it.
class TopicCache final {
 public:
  TopicCache(Admin& admin, const Cluster& cluster);
  ~TopicCache();

  // Asks now, on the caller's thread.
  Result<void> refresh();
  Result<log::Topic> topic(const std::string& name);
  std::vector<log::Topic> topics() const;
  // kNotFound: no such topic or partition.
  Result<void> check(const log::TopicPartition& partition);
  // The topic is seen with its settings and at least so many partitions that all have leaders, or the call timeout passes.
  Result<log::Topic> wait_for(const std::string& name, std::int32_t partitions);
  // kUnavailable: it is still seen once the call timeout has passed, or nobody answers.
  Result<void> wait_until_gone(const std::string& name);
  // Its settings are asked for anew at the next look.
  void forget_settings(const std::string& name);
  // The same, and the next look is soon.
  void doubt_settings(const std::string& name);
  // What a batch of the topic may have, if the brokers have said it.
  std::optional<std::size_t> max_message_bytes(const std::string& name) const;

 private:
  struct Entry {
    log::Topic topic;
    bool has_leaders = false;
    bool has_settings = false;
    std::optional<std::size_t> max_message_bytes{};
  };
  void run(const std::stop_token& stop);
  void adopt(const std::vector<TopicShape>& shapes);
  void read_settings();
  Uuid id_of(const std::string& name) const;

  Admin& admin_;
  const Cluster cluster_;
  std::mutex refreshing_;                  // One at a time asks the brokers.
  std::optional<std::string> cluster_id_;  // Under refreshing_.
  mutable std::mutex mutex_;               // Of what follows.
  std::condition_variable_any wake_;
  std::map<std::string, Entry, std::less<>> topics_;
  std::map<std::string, std::uint64_t, std::less<>> lives_;  // How often a topic went.
  bool missed_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::kafka_cluster
