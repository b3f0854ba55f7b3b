#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kafka_door/internal/answer.h"
#include "kafka_door/internal/mailbox.h"
#include "kafka_wire/codec.h"

namespace pinflow::kafka_door {

// The right to answer one request, exactly once, from any thread, also after the connection or the server is gone. Dropped unused
// it closes the connection, so that no client waits for ever.
class Reply final {
 public:
  Reply(std::shared_ptr<internal::Mailbox> mailbox, internal::Ticket ticket, std::int16_t version,
        std::int32_t correlation_id)
      : mailbox_(std::move(mailbox)), ticket_(ticket), version_(version), correlation_id_(correlation_id) {}
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (mailbox_ != nullptr) give(Answer::close("a request was dropped unanswered"));
  }

  // Sends the response in the request's version. Nothing in it may be borrowed: see give().
  template <kafka_wire::Message M>
  void send(const M& response) {
    give(Answer::send(kafka_wire::encode_response(response, version_, correlation_id_)));
  }
  void nothing() { give(Answer::nothing()); }
  // Ends the connection. `reason` goes to the log: what the client did, or what we cannot do.
  void close(std::string reason) { give(Answer::close(std::move(reason))); }
  void give(Answer answer) { std::exchange(mailbox_, nullptr)->deliver(ticket_, std::move(answer)); }

  std::int16_t version() const { return version_; }
  std::int32_t correlation_id() const { return correlation_id_; }

 private:
  std::shared_ptr<internal::Mailbox> mailbox_;  // Shared with the loop, which may end first. Null: answered.
  internal::Ticket ticket_;
  std::int16_t version_;
  std::int32_t correlation_id_;
};

}  // namespace pinflow::kafka_door
