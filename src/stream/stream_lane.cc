#include "stream/stream_lane.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <ranges>
#include <thread>

#include "base/check.h"
#include "log/reader_progress.h"
#include "stream/internal/kind_lane.h"
#include "stream/internal/table_keeper.h"

namespace pinflow::stream {

std::string_view to_string(Step step) {
  switch (step) {
    case Step::kPositionSet:
      return "position set";
    case Step::kFetched:
      return "fetched";
    case Step::kParsed:
      return "parsed";
    case Step::kRowsWritten:
      return "rows written";
    case Step::kDeadLettersWritten:
      return "dead letters written";
    case Step::kDeadLettersCommitted:
      return "dead letters committed";
    case Step::kRowsCommitted:
      return "rows committed";
    case Step::kLookedAfter:
      return "looked after";
  }
  CHECK(false, "a step has a name");
}

// The lanes of all kinds work on one share, which hears that a version is settled once each of them has settled it.
struct StreamLane::Settling {
  explicit Settling(log::Share& shared) : share(shared) {}
  void settled(records::Kind kind, std::uint64_t version) {
    std::uint64_t all = 0;
    {
      const std::scoped_lock lock(mutex);
      versions[kind] = version;
      if (versions.size() < records::kKinds.size()) return;
      all = std::ranges::min(versions | std::views::values);
      if (all <= told) return;
      told = all;
    }
    share.settled(all);
  }

  log::Share& share;
  std::mutex mutex;
  std::map<records::Kind, std::uint64_t> versions;  // Protected by mutex.
  std::uint64_t told = 0;                           // Protected by mutex.
};

struct StreamLane::Lane {
  Lane(records::Kind kind, const StreamOptions& options, const StreamContext& context, Random random,
       internal::BatchBudget& budget, log::PositionKeeper& keeper, Settling* all)
      : stream(options.names.stream(kind)),
        core(kind, options, context, random, budget),
        positions(keeper),
        settling(all),
        status(core.status()) {}

  void work(const std::stop_token& stop);
  TableStatus report() const {
    const std::scoped_lock lock(mutex);
    return status;
  }

  const std::string stream;
  internal::KindLane core;  // The thread's own.
  log::PositionKeeper& positions;
  Settling* const settling;              // Null without a share.
  std::atomic<bool> reassigned = false;  // The share changed since the thread looked.
  Wakeup wakeup;
  log::ReaderProgress progress;
  mutable std::mutex mutex;
  TableStatus status;   // Protected by mutex.
  std::jthread thread;  // Last: stops first.
};

void StreamLane::Lane::work(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { wakeup.notify(); });
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    const std::stop_token wake = wakeup.arm();
    if (stop.stop_requested()) break;
    const std::uint64_t ticket = progress.wishes().ticket;
    if (ticket != seen || reassigned.exchange(false)) core.hurry();
    seen = ticket;
    core.prepare();
    if (settling != nullptr) settling->settled(core.status().kind, core.assigned());
    {
      const std::scoped_lock lock(mutex);
      status = core.status();
    }
    auto places = core.places();
    for (const auto& [partition, place] : places) {
      if (place.next > log::Offset(0)) positions.note(partition, place.next);  // 0 also stands for: not known yet.
    }
    progress.publish(std::move(places), seen);
    core.fetch(wake);
    core.commit();
  }
}

struct StreamLane::Maintenance {
  Maintenance(const StreamOptions& options, const StreamContext& context, Random random)
      : keeper(options, context, random), interval(options.optimize_interval) {
    thread = std::jthread([this](const std::stop_token& stop) {
      for (Wakeup::wait(interval, stop); !stop.stop_requested(); Wakeup::wait(interval, stop)) keeper.look_after(stop);
    });
  }
  internal::TableKeeper keeper;  // The thread's own.
  const std::chrono::milliseconds interval;
  std::jthread thread;
};

StreamLane::StreamLane(StreamOptions options, const StreamContext& context, Random& random)
    : log_(context.log),
      clock_(context.clock),
      positions_(context.log, options.group, context.logger),
      budget_(std::make_unique<internal::BatchBudget>(options.batch_memory, records::kKinds.size())) {
  if (context.share != nullptr) settling_ = std::make_unique<Settling>(*context.share);
  for (const records::Kind kind : records::kKinds) {
    lanes_.push_back(
        std::make_unique<Lane>(kind, options, context, Random(random()), *budget_, positions_, settling_.get()));
  }
  if (options.optimize_interval.count() > 0) {
    maintenance_ = std::make_unique<Maintenance>(options, context, Random(random()));
  }
  for (const auto& lane : lanes_) {
    lane->thread = std::jthread([&lane = *lane](std::stop_token stop) { lane.work(stop); });
  }
  if (context.share == nullptr) return;
  watch_.emplace(*context.share, [this] {
    for (const auto& lane : lanes_) {
      lane->reassigned = true;
      lane->wakeup.notify();
    }
  });
}

StreamLane::~StreamLane() {
  if (maintenance_) maintenance_->thread.request_stop();
  for (const auto& lane : lanes_) lane->thread.request_stop();
}

Result<void> StreamLane::wait_until_caught_up(std::chrono::milliseconds timeout, std::stop_token stop) {
  const SteadyTime deadline = clock_.steady_now() + timeout;
  std::vector<log::ReaderTargets> targets;
  for (const auto& lane : lanes_) {
    TRY_ASSIGN(auto ends, log::end_offsets(log_, [&](const std::string& topic) { return topic == lane->stream; }));
    targets.push_back(std::move(ends));
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock_.steady_now());
    TRY(lanes_[i]->progress.wait("the stream lane", targets[i], lanes_[i]->wakeup,
                                 std::max(left, std::chrono::milliseconds::zero()), stop));
  }
  return {};
}

std::vector<TableStatus> StreamLane::status_without_lag() const {
  std::vector<TableStatus> all;
  for (const auto& lane : lanes_) all.push_back(lane->report());
  return all;
}

std::vector<TableStatus> StreamLane::status() const {
  std::vector<TableStatus> all = status_without_lag();
  for (TableStatus& status : all) {
    for (PartitionStatus& partition : status.partitions) {
      if (const auto range = log_.offsets(partition.partition)) {
        partition.lag = std::max<std::int64_t>(0, range->end - partition.next);
      }
    }
  }
  return all;
}

}  // namespace pinflow::stream
