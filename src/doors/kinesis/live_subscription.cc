#include "doors/kinesis/live_subscription.h"

#include <array>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/shard_writing.h"

namespace pinflow::doors::kinesis {

namespace {
constexpr std::chrono::minutes kLife{5};
constexpr std::chrono::seconds kMostSilence{5};
constexpr ReadBounds kEventBounds{10'000, 1 << 20};
}  // namespace

LiveSubscription::LiveSubscription(Subscriptions::Parts parts, Subscriptions::Wanted wanted)
    : parts_(parts),
      wanted_(std::move(wanted)),
      last_call_(parts.clock.steady_now() + kLife),
      next_(wanted_.from.offset),
      last_arrival_(parts.clock.now()),
      told_(parts.clock.steady_now()) {}

void LiveSubscription::next(Take take) {
  std::optional<Fault> fault;
  {
    const std::scoped_lock lock(mutex_);
    if (!ended_) {
      take_ = std::move(take);
      return look_locked();
    }
    fault = std::exchange(fault_, std::nullopt);
  }
  if (fault) return take(std::unexpected(std::move(*fault)));
  take(std::nullopt);
}

void LiveSubscription::look() {
  const std::scoped_lock lock(mutex_);
  look_locked();
}

void LiveSubscription::look_locked() {
  if (ended_ || !take_) return;
  if (looking_) {
    look_again_ = true;
    return;
  }
  looking_ = true;
  parts_.pool.submit([self = shared_from_this()](const std::stop_token&) { self->read(); });
}

bool LiveSubscription::has_ended() {
  const std::scoped_lock lock(mutex_);
  return ended_;
}

void LiveSubscription::end(std::optional<Fault> fault) {
  Take take;
  std::unique_ptr<log::Watch> watch;  // Goes without the lock: it may wait for its callback, which takes it.
  {
    const std::scoped_lock lock(mutex_);
    if (ended_) return;
    ended_ = true;
    take = std::exchange(take_, nullptr);
    watch = std::move(watch_);
    if (!take) fault_ = fault;
  }
  watch.reset();
  if (!take) return;
  if (fault) return take(std::unexpected(std::move(*fault)));
  take(std::nullopt);
}

// On the pool, one at a time.
void LiveSubscription::read() {
  std::unique_ptr<log::Watch> watch;
  {
    const std::scoped_lock lock(mutex_);
    watch = std::move(watch_);
    look_again_ = false;
  }
  watch.reset();
  if (has_ended()) return;
  auto event = make_event();
  if (!event) wait();
  Take take;
  {
    const std::scoped_lock lock(mutex_);
    looking_ = false;
    if (ended_) return;
    if (!event) {
      if (look_again_) look_locked();
      return;
    }
    take = std::exchange(take_, nullptr);
    told_ = parts_.clock.steady_now();
    ended_ = event->is_last;
  }
  if (!event->json) return take(std::unexpected(std::move(event->json).error()));
  if (event->json->empty()) return take(std::nullopt);
  take(std::optional(*std::move(event->json)));
}

std::optional<LiveSubscription::Event> LiveSubscription::make_event() {
  const SteadyTime steady = parts_.clock.steady_now();
  if (steady >= last_call_) return Event{std::string(), true};
  const std::string& name = wanted_.stream->name();
  const auto found = parts_.book.find(name);
  const bool gone = found ? (*found)->id() != wanted_.stream->id() || !(*found)->has_shards() : true;
  if (gone) return Event{std::unexpected(stream_not_found(name, wanted_.account)), true};
  const WallTime now = parts_.clock.now();
  const auto read =
      read_shard(parts_.log, parts_.book, *found, {wanted_.from.shard, next_}, kEventBounds, wanted_.account, now);
  if (!read) return Event{std::unexpected(read.error()), true};
  next_ = read->next;
  SteadyTime told;
  {
    const std::scoped_lock lock(mutex_);
    told = told_;
  }
  if (read->records.empty() && !read->at_end && steady - told < kMostSilence) return std::nullopt;
  return Event{write_event(**found, *read, now), read->at_end};
}

std::string LiveSubscription::write_event(const Stream& stream, const ShardRead& read, WallTime now) {
  if (!read.records.empty()) last_arrival_ = read.records.back().timestamp;
  Writer out(Encoding::kJson);
  out.reserve(read.bytes * 3 / 2 + read.records.size() * 200 + 400);
  out.begin_structure();
  write_records(out, stream, read);
  if (!read.at_end)
    out.member("ContinuationSequenceNumber")
        .text(stream.number(read.shard, read.next.value(), read.records.empty() ? now : last_arrival_).view());
  out.member("MillisBehindLatest").integer(read.behind.count());
  write_shard_end(out, stream, read);
  out.end_structure();
  return std::move(out).take();
}

// Without the lock: the log may call back at once.
void LiveSubscription::wait() {
  const std::array positions{log::FetchPosition{wanted_.stream->partition(wanted_.from.shard), next_}};
  auto watch = parts_.log.watch(positions, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
  SteadyTime due;
  bool rings = false;
  {
    const std::scoped_lock lock(mutex_);
    if (!ended_) watch_ = std::move(watch);
    due = std::min(told_ + kMostSilence, last_call_);
    rings = std::exchange(rings_, true);
  }
  if (!rings) ring_at(due);
}

void LiveSubscription::ring_at(SteadyTime due) {
  parts_.alarms.at(due, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::scoped_lock lock(self->mutex_);
      self->rings_ = false;
      if (self->ended_) return;
    }
    self->look();
  });
}

}  // namespace pinflow::doors::kinesis
