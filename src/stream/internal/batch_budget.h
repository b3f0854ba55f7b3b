#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/strong.h"

namespace pinflow::stream::internal {

// The bytes of records that the batches of all lanes may hold at once. Half of it is shared out, so that each lane can always make
// one batch and no slow table stops the others; the rest is for further batches of whoever is behind, first come, first served.
// Nobody waits for it. Safe from any thread; outlives its grants.
class BatchBudget final {
 public:
  // What one batch may take; given back at its end.
  class Grant final {
   public:
    Grant() = default;
    Grant(Grant&& other) noexcept { *this = std::move(other); }
    Grant& operator=(Grant&& other) noexcept {
      if (this == &other) return *this;
      reduce(0);
      budget_ = std::exchange(other.budget_, nullptr);
      own_ = std::exchange(other.own_, 0);
      drawn_ = std::exchange(other.drawn_, 0);
      return *this;
    }
    ~Grant() { reduce(0); }

    std::size_t bytes() const { return own_ + drawn_; }
    bool has_own() const { return own_ > 0; }  // The share of the lane is in it.
    // Gives back what is not needed for `bytes`. The lane's share stays with the batch while it holds anything.
    void reduce(std::size_t bytes) {
      const std::size_t needed = std::min(drawn_, bytes - std::min(bytes, own_));
      if (budget_ != nullptr) budget_->give_back(drawn_ - needed);
      drawn_ = needed;
      if (bytes == 0) own_ = 0;
    }

   private:
    friend class BatchBudget;
    BatchBudget* budget_ = nullptr;
    std::size_t own_ = 0, drawn_ = 0;
  };

  BatchBudget(ByteCount total, std::size_t lanes)
      : share_(std::max<std::size_t>(1, total.count() / 2 / lanes)),
        common_(total.count() - std::min<std::size_t>(total.count(), share_ * lanes)) {}

  // At most `most` bytes: of the lane's share where `own` says that no batch of it has that, and of the common rest where `more` does.
  Grant take(std::size_t most, bool own, bool more) {
    Grant grant;
    grant.budget_ = this;
    if (own) grant.own_ = std::min(share_, most);
    if (more) {
      const std::scoped_lock lock(mutex_);
      grant.drawn_ = std::min(common_, most - grant.own_);
      common_ -= grant.drawn_;
    }
    return grant;
  }

  std::size_t share() const { return share_; }
  std::size_t common() const {  // What is left of it.
    const std::scoped_lock lock(mutex_);
    return common_;
  }

 private:
  void give_back(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    common_ += bytes;
  }

  const std::size_t share_;
  mutable std::mutex mutex_;
  std::size_t common_;  // Protected by mutex_.
};

}  // namespace pinflow::stream::internal
