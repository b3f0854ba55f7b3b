#include "log/internal/sync_team.h"

namespace pinflow::log {

SyncTeam::SyncTeam(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) helpers_.emplace_back([this] { help(); });
}

SyncTeam::~SyncTeam() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  work_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void SyncTeam::run(std::size_t count, const std::function<void(std::size_t)>& part) {
  if (count <= 1 || helpers_.empty()) {
    for (std::size_t i = 0; i < count; ++i) part(i);
    return;
  }
  std::unique_lock lock(mutex_);
  part_ = &part;
  next_ = 0;
  count_ = count;
  for (std::size_t i = 1; i < count && i <= helpers_.size(); ++i) work_.notify_one();
  take_parts(lock);
  done_.wait(lock, [&] { return at_work_ == 0; });
  count_ = 0;
}

void SyncTeam::help() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopped_ || next_ < count_; });
    if (stopped_) return;
    take_parts(lock);
  }
}

// Takes parts until none is left. The last to return tells the owner.
void SyncTeam::take_parts(std::unique_lock<std::mutex>& lock) {
  while (next_ < count_) {
    const std::size_t mine = next_++;
    const auto* part = part_;
    ++at_work_;
    lock.unlock();
    (*part)(mine);
    lock.lock();
    if (--at_work_ == 0 && next_ >= count_) done_.notify_one();
  }
}

}  // namespace pinflow::log
