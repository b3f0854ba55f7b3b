#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "kafka_door/internal/conversation.h"
#include "kafka_door/internal/tls.h"

namespace pinflow::kafka_door::internal {

// Bytes to and from one non-blocking socket, in the clear or through TLS. Owned by the connection's loop, which must block SIGPIPE.
// The socket must outlive it.
class Transport final {
 public:
  enum class Status { kDone, kWantRead, kWantWrite, kClosed, kFailed };
  struct Outcome {
    Status status = Status::kDone;
    std::size_t count = 0;
  };

  explicit Transport(int socket) : socket_(socket) {}
  // Speaks TLS from the next byte on.
  void begin_tls(SSL_CTX& context);
  // Whether a first byte is there and begins TLS (its record type 22, which no Kafka request begins with).
  std::optional<bool> begins_with_tls() const;

  Outcome read(std::span<char> room);
  // Sends from the front of the output as much as the socket takes.
  Outcome write(const std::deque<Conversation::Output>& output);
  // Bytes that were read from the socket and are not asked for yet: the socket's readiness does not tell of them.
  bool has_buffered() const { return tls_ != nullptr && SSL_has_pending(tls_.get()) != 0; }
  bool is_tls() const { return tls_ != nullptr; }
  // Tells the peer that this is the end, as far as that goes at once.
  void say_goodbye();

  // Of kFailed.
  const std::string& failure() const { return failure_; }
  // The subject of the peer's certificate ("CN=billing,O=Acme"), once TLS is set up; empty: it showed none.
  std::string peer_subject() const;

 private:
  Outcome tls_outcome(int result, std::size_t count);
  Outcome socket_failure(int error);

  int socket_;
  std::unique_ptr<SSL, TlsDeleter> tls_;
  std::string failure_;
};

}  // namespace pinflow::kafka_door::internal
