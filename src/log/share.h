#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace pinflow::log {

struct Assignment {
  std::uint64_t version = 0;               // Grows with every change.
  std::vector<TopicPartition> partitions;  // Sorted.
  friend bool operator==(const Assignment&, const Assignment&) = default;
};

// Which partitions of some topics this process works on: all of them where the log is one process's, its part where several processes
// share a group. A share divides the work and promises nothing: for a while two may work on one partition, or none, and what they store
// must hold by itself (objects by their names, tables by their transactions). Safe from any thread; the log must outlive it.
class Share {
 public:
  virtual ~Share() = default;  // Leaves the group: its partitions go to the others.

  // Answers from memory. A topic that does not exist has no partitions until somebody makes it.
  virtual Assignment assignment() const = 0;

  // Blocks until the version differs from `known` or stop is requested; gives the assignment.
  virtual Assignment wait(std::uint64_t known, std::stop_token stop) = 0;

  // Replaces the topics; those that stay keep their partitions as far as the group leaves them here.
  virtual Result<void> subscribe(const std::vector<std::string>& topics) = 0;

  // Says that no partition is worked on any more which the assignment of this version does not have, so that those may go to others.
  // A group waits for it, but not without end.
  virtual void settled(std::uint64_t version) = 0;
};

}  // namespace pinflow::log
