#pragma once

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include <fmt/format.h>

#include "base/wakeup.h"
#include "log/log.h"

namespace pinflow::log {

// Where a reader of the log stands in one partition.
struct ReaderPlace {
  Offset next;        // All records below are done.
  std::string error;  // Why it does not go on now; empty when it does.
};

// Offsets that partitions shall reach.
using ReaderTargets = std::map<TopicPartition, Offset>;

// The ends of all partitions of the topics that `wanted` accepts. Topics deleted meanwhile are left out.
template <class Wanted>
Result<ReaderTargets> end_offsets(Log& log, Wanted wanted) {
  ReaderTargets ends;
  for (const Topic& topic : log.topics()) {
    if (!wanted(topic.name)) continue;
    for (std::int32_t id = 0; id < topic.partitions; ++id) {
      TopicPartition name{topic.name, PartitionId(id)};
      const auto range = log.offsets(name);
      if (!range && range.error().code == ErrorCode::kNotFound) continue;
      if (!range) return fail(range.error());
      ends.emplace(std::move(name), range->end);
    }
  }
  return ends;
}

// How far a thread that reads the log has come, for those who ask and those who wait. The reader calls wishes() after
// arming its Wakeup, works, and publishes its places before it blocks again. Safe from any thread.
class ReaderProgress {
 public:
  struct Wishes {
    ReaderTargets targets;     // Not reached yet, of those who wait.
    std::uint64_t ticket = 0;  // Grows with each that begins to wait.
  };
  Wishes wishes() const {
    const std::scoped_lock lock(mutex_);
    return wishes_;
  }

  // `ticket`: of the wishes that the reader had seen before it looked for topics.
  void publish(std::map<TopicPartition, ReaderPlace> places, std::uint64_t ticket) {
    {
      const std::scoped_lock lock(mutex_);
      places_ = std::move(places);
      answered_ = ticket;
      std::erase_if(wishes_.targets,
                    [&](const auto& target) { return answered_ >= wishes_.ticket && reached(target); });
    }
    published_.notify_all();
  }

  // Wakes the reader and waits until it has reached all targets; partitions that it does not know are of deleted topics and count
  // as reached. kUnavailable: not within `timeout`; the message, which begins with `who`, names what hinders. kCancelled: stopped.
  Result<void> wait(std::string_view who, const ReaderTargets& targets, Wakeup& reader,
                    std::chrono::milliseconds timeout, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (const auto& [name, offset] : targets) wishes_.targets[name] = std::max(wishes_.targets[name], offset);
    const std::uint64_t ticket = ++wishes_.ticket;
    lock.unlock();
    reader.notify();
    lock.lock();
    if (published_.wait_for(lock, stop, timeout, [&] { return hindrance(targets, ticket).empty(); })) return {};
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, fmt::format("waiting for {} was stopped", who));
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} did not catch up within {} ms: {}", who, timeout.count(), hindrance(targets, ticket)));
  }

 private:
  bool reached(const ReaderTargets::value_type& target) const {
    const auto place = places_.find(target.first);
    return place == places_.end() || place->second.next >= target.second;
  }
  std::string hindrance(const ReaderTargets& targets, std::uint64_t ticket) const {
    if (answered_ < ticket) return "it has not looked yet";
    for (const auto& target : targets) {
      if (reached(target)) continue;
      const auto& [name, offset] = target;
      const ReaderPlace& place = places_.at(name);
      return fmt::format("{}/{} is at offset {} of {}{}{}", name.topic, name.partition, place.next, offset,
                         place.error.empty() ? "" : ": ", place.error);
    }
    return {};
  }

  mutable std::mutex mutex_;
  std::condition_variable_any published_;
  // State below is protected by mutex_.
  Wishes wishes_;
  std::uint64_t answered_ = 0;
  std::map<TopicPartition, ReaderPlace> places_;
};

}  // namespace pinflow::log
