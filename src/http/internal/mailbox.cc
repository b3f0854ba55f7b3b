#include "http/internal/mailbox.h"

#include "base/check.h"

namespace pinflow::http::internal {

namespace {
// Owes one reply. `Wording` makes the one that stands for a reply that never came.
template <class Value, Value (*Wording)()>
class Debt {
 public:
  Debt(std::shared_ptr<Mailbox> mailbox, Ticket ticket) : mailbox_(std::move(mailbox)), ticket_(ticket) {}
  Debt(Debt&& other) noexcept : mailbox_(std::move(other.mailbox_)), ticket_(other.ticket_) {}
  Debt& operator=(Debt&&) = delete;
  ~Debt() {
    if (mailbox_ != nullptr) mailbox_->deliver(ticket_, Wording());
  }
  void operator()(Value value) {
    CHECK(mailbox_ != nullptr, "a reply to a request is given twice");
    std::exchange(mailbox_, nullptr)->deliver(ticket_, std::move(value));
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  Ticket ticket_;
};

Response dropped_request() {
  return Response::failure(500, 500, "the request was dropped unanswered");
}

BodyStream::Piece dropped_piece() {
  return fail(ErrorCode::kCancelled, "the answer broke off");
}
}  // namespace

void Mailbox::deliver(Ticket ticket, Reply reply) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return;
  if (expected_ == ticket && expecting_thread_ == std::this_thread::get_id()) {
    direct_ = std::move(reply);
    return;
  }
  waiting_.push_back({ticket, std::move(reply)});
  if (waiting_.size() == 1) wake_();
}

std::vector<Delivery> Mailbox::drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(waiting_, {});
}

void Mailbox::expect(Ticket ticket) {
  const std::scoped_lock lock(mutex_);
  expected_ = ticket;
  expecting_thread_ = std::this_thread::get_id();
}

std::optional<Reply> Mailbox::collect() {
  const std::scoped_lock lock(mutex_);
  expected_ = {};
  return std::exchange(direct_, std::nullopt);
}

void Mailbox::close() {
  std::vector<Delivery> dropped;  // Outside the lock: what they hold may deliver when it goes.
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  waiting_.swap(dropped);
}

Responder make_responder(std::shared_ptr<Mailbox> mailbox, Ticket ticket) {
  return Debt<Response, dropped_request>(std::move(mailbox), ticket);
}

BodyStream::Take make_piece_taker(std::shared_ptr<Mailbox> mailbox, Ticket ticket) {
  return Debt<BodyStream::Piece, dropped_piece>(std::move(mailbox), ticket);
}

}  // namespace pinflow::http::internal
