#include "sink/sink.h"

#include <algorithm>

#include <fmt/format.h>

#include "sink/internal/worker.h"
#include "sink/object_name.h"

namespace pinflow::sink {

struct Sink::State {
  State(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger)
      : worker(std::move(options), log, store, clock, logger) {}

  internal::Worker worker;  // The thread's own.

  mutable std::mutex mutex;
  std::condition_variable_any worked;
  // State below is protected by mutex.
  internal::Targets targets;
  std::uint64_t asked = 0;     // Flushes so far.
  std::uint64_t answered = 0;  // Those that the worker has looked after.
  SinkStatus status;

  // What hinders `wanted`; empty when all of it is in objects or its topics are gone.
  std::string hindrance(const internal::Targets& wanted, std::uint64_t ticket) const;
  void drop_reached();
};

std::string Sink::State::hindrance(const internal::Targets& wanted, std::uint64_t ticket) const {
  if (answered < ticket) return "the sink has not looked yet";
  for (const auto& [name, target] : wanted) {
    const auto found = std::ranges::find(status.partitions, name, &PartitionStatus::partition);
    if (found == status.partitions.end() || found->next >= target) continue;
    return fmt::format("{}/{} is at offset {} of {}{}{}", name.topic, name.partition, found->next, target,
                       found->error.empty() ? "" : ": ", found->error);
  }
  return {};
}

void Sink::State::drop_reached() {
  std::erase_if(targets, [&](const auto& target) {
    const auto found = std::ranges::find(status.partitions, target.first, &PartitionStatus::partition);
    return found == status.partitions.end() || found->next >= target.second;
  });
}

Sink::Sink(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock,
           Logger& logger)
    : log_(log),
      patterns_(options.topics),
      state_(std::make_unique<State>(std::move(options), log, store, clock, logger)),
      thread_([this](std::stop_token stop) { work(std::move(stop)); }) {}

Sink::~Sink() = default;

void Sink::work(std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { wakeup_.notify(); });
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    const std::stop_token wake = wakeup_.arm();
    if (stop.stop_requested()) break;
    internal::Targets targets;
    {
      const std::scoped_lock lock(state_->mutex);
      targets = state_->targets;
      if (seen != state_->asked) state_->worker.hurry();
      seen = state_->asked;
    }
    state_->worker.work(targets);
    {
      const std::scoped_lock lock(state_->mutex);
      state_->status = state_->worker.status();
      state_->answered = seen;
      state_->drop_reached();
    }
    state_->worked.notify_all();
    state_->worker.fetch(wake);
  }
}

Result<void> Sink::flush(std::chrono::milliseconds timeout, std::stop_token stop) {
  internal::Targets wanted;
  for (const log::Topic& topic : log_.topics()) {
    if (std::ranges::none_of(patterns_, [&](const auto& pattern) { return matches(pattern, topic.name); }))
      continue;
    for (std::int32_t id = 0; id < topic.partitions; ++id) {
      log::TopicPartition name{topic.name, log::PartitionId(id)};
      const auto range = log_.offsets(name);
      if (!range && range.error().code == ErrorCode::kNotFound) continue;  // Deleted meanwhile.
      if (!range) return fail(range.error());
      wanted.emplace(std::move(name), range->end);
    }
  }
  std::unique_lock lock(state_->mutex);
  for (const auto& [name, offset] : wanted) state_->targets[name] = std::max(state_->targets[name], offset);
  const std::uint64_t ticket = ++state_->asked;
  lock.unlock();
  wakeup_.notify();
  lock.lock();
  if (state_->worked.wait_for(lock, stop, timeout, [&] { return state_->hindrance(wanted, ticket).empty(); }))
    return {};
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "waiting for the sink was stopped");
  return fail(ErrorCode::kUnavailable, fmt::format("the sink did not catch up within {} ms: {}",
                                                   timeout.count(), state_->hindrance(wanted, ticket)));
}

SinkStatus Sink::status() const {
  SinkStatus status;
  {
    const std::scoped_lock lock(state_->mutex);
    status = state_->status;
  }
  for (PartitionStatus& partition : status.partitions) {
    if (const auto range = log_.offsets(partition.partition))
      partition.lag = std::max<std::int64_t>(0, range->end - partition.next);
  }
  return status;
}

}  // namespace pinflow::sink
