#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "records/kind.h"

namespace pinflow::testing {

// A loopback port that is free now, for a server that comes back on it after it was killed.
std::uint16_t free_port();

// Idempotent producers of librdkafka, one thread each, that write numbered records of all kinds to topics and streams and live through
// restarts of the server: what is not acknowledged they send again by themselves. Each number is sent once by the program.
class KafkaLoad {
 public:
  KafkaLoad(std::uint16_t port, std::int64_t first_ind, std::size_t producers);
  ~KafkaLoad();
  KafkaLoad(const KafkaLoad&) = delete;
  KafkaLoad& operator=(const KafkaLoad&) = delete;

  // Sends no more, waits until the server (which must be up) has acknowledged all, and joins.
  void finish();

  // After finish(): numbers by topic or stream name, and what librdkafka reported as failed (empty if all went well).
  const std::set<std::int64_t>& acknowledged(const std::string& topic) { return acknowledged_[topic]; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  class Producer;
  std::atomic<std::int64_t> next_ind_;
  std::vector<std::unique_ptr<Producer>> producers_;  // Use the number above.
  std::map<std::string, std::set<std::int64_t>> acknowledged_;
  std::vector<std::string> failures_;
};

}  // namespace pinflow::testing
