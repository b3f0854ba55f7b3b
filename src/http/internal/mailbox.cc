#include "http/internal/mailbox.h"

#include "base/check.h"

namespace pinflow::http::internal {

namespace {
class Ticket {
 public:
  Ticket(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection)
      : mailbox_(std::move(mailbox)), connection_(connection) {}
  Ticket(Ticket&& other) noexcept : mailbox_(std::move(other.mailbox_)), connection_(other.connection_) {}
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket() {
    if (mailbox_ == nullptr) return;
    mailbox_->deliver(connection_, Response::failure(500, 500, "the request was dropped unanswered"));
  }
  void operator()(Response response) {
    CHECK(mailbox_ != nullptr, "a request is answered twice");
    std::exchange(mailbox_, nullptr)->deliver(connection_, std::move(response));
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t connection_;
};
}  // namespace

void Mailbox::deliver(std::uint64_t connection, Response response) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return;
  if (expected_ == connection && expecting_thread_ == std::this_thread::get_id()) {
    direct_ = std::move(response);
    return;
  }
  waiting_.push_back({connection, std::move(response)});
  if (waiting_.size() == 1) wake_();
}

std::vector<Delivery> Mailbox::drain() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(waiting_, {});
}

void Mailbox::expect(std::uint64_t connection) {
  const std::scoped_lock lock(mutex_);
  expected_ = connection;
  expecting_thread_ = std::this_thread::get_id();
}

std::optional<Response> Mailbox::collect() {
  const std::scoped_lock lock(mutex_);
  expected_ = 0;
  return std::exchange(direct_, std::nullopt);
}

void Mailbox::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  waiting_.clear();
}

Responder make_responder(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection) {
  return Responder(Ticket(std::move(mailbox), connection));
}

}  // namespace pinflow::http::internal
