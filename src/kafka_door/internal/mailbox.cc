#include "kafka_door/internal/mailbox.h"

#include <utility>

namespace pinflow::kafka_door::internal {

void Mailbox::deliver(Ticket ticket, std::optional<Answer> answer) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return;
  if (direct_thread_ == std::this_thread::get_id() && direct_connection_ == ticket.connection) {
    direct_.push_back({ticket, std::move(answer)});
    return;
  }
  waiting_.push_back({ticket, std::move(answer)});
  if (waiting_.size() == 1) wake_();
}

std::vector<Delivery> Mailbox::drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(waiting_, {});
}

void Mailbox::begin_direct(std::uint64_t connection) {
  const std::scoped_lock lock(mutex_);
  direct_thread_ = std::this_thread::get_id();
  direct_connection_ = connection;
}

std::vector<Delivery> Mailbox::end_direct() {
  const std::scoped_lock lock(mutex_);
  direct_thread_ = {};
  return std::exchange(direct_, {});
}

void Mailbox::close() {
  std::vector<Delivery> dropped;  // Destroyed after the lock: what an answer holds may end up here again.
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  dropped = std::exchange(waiting_, {});
}

}  // namespace pinflow::kafka_door::internal
