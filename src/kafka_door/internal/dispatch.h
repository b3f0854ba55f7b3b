#pragma once

#include <memory>

#include "kafka_door/handlers/context.h"
#include "kafka_door/internal/authentication.h"
#include "kafka_door/internal/complaints.h"
#include "kafka_door/internal/frame_reader.h"

namespace pinflow::kafka_door::internal {

// What dispatching keeps of one connection. Owned by the connection's loop.
struct Session {
  Session(std::shared_ptr<ConnectionFacts> peer, const Credentials& credentials)
      : facts(std::move(peer)), authentication(credentials) {}
  std::shared_ptr<ConnectionFacts> facts;  // Shared with the calls in hand.
  Authentication authentication;
  // Whose fault a log line is.
  std::string client() const { return facts->client_host + ":" + std::to_string(facts->client_port); }
};

// Reads a request's header and body and hands it to its handler. What cannot be served is answered where the shape of the answer is
// known; else the connection is closed, with the reason in the log. Called on the connection's loop; safe for several at a time.
class Dispatcher final {
 public:
  Dispatcher(Context& context, Complaints& complaints) : context_(context), complaints_(complaints) {}
  void dispatch(Session& session, Frame frame, const std::shared_ptr<Mailbox>& mailbox, Ticket ticket);
  Complaints& complaints() { return complaints_; }

 private:
  void refuse(const Session& session, const kafka_wire::RequestHeader& header, Reply reply);
  void login(Session& session, const Call& call, Reply reply);
  void tell_of_login(Session& session, const Authentication::Step& step);

  Context& context_;
  Complaints& complaints_;
};

}  // namespace pinflow::kafka_door::internal
