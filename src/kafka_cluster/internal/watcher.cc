#include "kafka_cluster/internal/watcher.h"

#include <algorithm>

namespace pinflow::kafka_cluster {
namespace {

constexpr std::chrono::seconds kLookAgain{5};  // Whether a topic went, and whether the client can be opened after all.

}  // namespace

class Watcher::Withdrawal final : public log::Watch {
 public:
  Withdrawal(Watcher& watcher, std::uint64_t id) : watcher_(watcher), id_(id) {}
  ~Withdrawal() override { watcher_.withdraw(id_); }
  Withdrawal(const Withdrawal&) = delete;
  Withdrawal& operator=(const Withdrawal&) = delete;

 private:
  Watcher& watcher_;
  const std::uint64_t id_;
};

Watcher::~Watcher() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  streams_.clear();
}

std::unique_ptr<log::Watch> Watcher::watch(std::span<const log::FetchPosition> positions,
                                           std::move_only_function<void()> ready) {
  const std::scoped_lock lock(mutex_);
  const std::uint64_t id = ++last_id_;
  waiters_.emplace(id, Waiter{{positions.begin(), positions.end()}, std::move(ready)});
  news_ = true;
  wake_.notify_all();
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return std::make_unique<Withdrawal>(*this, id);
}

void Watcher::notify() {
  const std::scoped_lock lock(mutex_);
  news_ = true;
  wake_.notify_all();
}

void Watcher::withdraw(std::uint64_t id) {
  const std::scoped_lock calling(calling_);
  const std::scoped_lock lock(mutex_);
  waiters_.erase(id);
}

void Watcher::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (start()) {
      follow();
      look();
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kLookAgain, [&] { return news_; });
    news_ = false;
  }
}

Result<void> Watcher::start() {
  if (client_ != nullptr) return {};
  TRY_ASSIGN(client_, Client::open(RD_KAFKA_CONSUMER,
                                   {{"isolation.level", "read_committed"},
                                    {"enable.partition.eof", "true"},
                                    {"enable.auto.commit", "false"},
                                    {"enable.auto.offset.store", "false"},
                                    {"auto.offset.reset", "error"},
                                    {"queued.min.messages", "1"},
                                    {"queued.max.messages.kbytes", "1"},
                                    {"max.partition.fetch.bytes", "1024"},
                                    {"fetch.wait.max.ms", "50"},
                                    {"fetch.error.backoff.ms", "200"}},
                                   {}, cluster_));
  client_->serve();
  return {};
}

// Reads each watched partition from its lowest watched position, and no other.
void Watcher::follow() {
  std::map<log::TopicPartition, log::Offset> lowest;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, waiter] : waiters_) {
      for (const log::FetchPosition& position : waiter.positions) {
        const auto [at, is_new] = lowest.try_emplace(position.partition, position.offset);
        if (!is_new) at->second = std::min(at->second, position.offset);
      }
    }
  }
  std::erase_if(streams_, [&](const auto& entry) {
    const auto wanted = lowest.find(entry.first);
    return wanted == lowest.end() || wanted->second != entry.second->next() || entry.second->is_broken();
  });
  for (const auto& [partition, offset] : lowest) {
    if (!topics_.check(partition)) {
      fire(partition, log::Offset(std::numeric_limits<std::int64_t>::max()));
    } else if (!streams_.contains(partition)) {
      auto opened = Stream::open(*client_, partition, offset);
      if (!opened) continue;
      (*opened)->listen(this);
      streams_.emplace(partition, std::move(*opened));
    }
  }
}

void Watcher::look() {
  for (auto& [partition, stream] : streams_) {
    const log::Offset before = stream->next();
    Stream::Budget budget{1 << 20, 1'000, true};
    log::FetchedPartition found;
    stream->take(budget, found);
    if (found.error) {
      fire(partition, log::Offset(std::numeric_limits<std::int64_t>::max()));
    } else if (stream->next() > before) {
      fire(partition, stream->next());
    } else {
      continue;
    }
    notify();  // Who still waits there waits elsewhere.
  }
}

// Calls those that wait in the partition at a position before `up_to`.
void Watcher::fire(const log::TopicPartition& partition, log::Offset up_to) {
  const std::scoped_lock calling(calling_);
  while (true) {
    std::move_only_function<void()> ready;
    {
      const std::scoped_lock lock(mutex_);
      const auto at = std::ranges::find_if(waiters_, [&](const auto& entry) {
        return std::ranges::any_of(entry.second.positions, [&](const log::FetchPosition& position) {
          return position.partition == partition && position.offset < up_to;
        });
      });
      if (at == waiters_.end()) return;
      ready = std::move(at->second.ready);
      waiters_.erase(at);
    }
    ready();
  }
}

}  // namespace pinflow::kafka_cluster
