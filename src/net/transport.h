#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/tls.h"

namespace pinflow::net {

// Bytes to and from one non-blocking socket, in the clear or through TLS. Owned by the connection's thread. The socket and the maker of the
// TLS session must outlive it. It raises no SIGPIPE.
class Transport final {
 public:
  enum class Status { kDone, kWantRead, kWantWrite, kClosed, kFailed };
  struct Outcome {
    Status status = Status::kDone;
    std::size_t count = 0;
  };

  explicit Transport(int socket) : socket_(socket) {}
  // Speaks TLS from the next byte on. Null (no memory) fails with the next call.
  void begin_tls(TlsSession session);
  // Whether a first byte is there and begins TLS: its record type 22, with which no request of Kafka or HTTP begins.
  std::optional<bool> begins_with_tls() const;

  // Sets up TLS as far as goes at once; kDone when it is, and in the clear. read() and write() do the same by themselves.
  Outcome handshake();
  // Reads what is there, at most the room. kDone with 1 byte or more.
  Outcome read(std::span<char> room);
  // Sends from the front of `pieces` (none of them empty, at least one) as much as the socket takes. After kWantWrite or kWantRead the next
  // call begins with the same bytes.
  Outcome write(std::span<const std::string_view> pieces);
  // Whether the last read() left bytes that the socket's readiness does not tell of.
  bool has_buffered() const { return buffered_; }
  bool is_tls() const { return tls_ != nullptr; }
  // Tells the peer that this is the end, as far as that goes at once.
  void say_goodbye();

  // Of kFailed: what is wrong.
  const std::string& failure() const { return failure_; }
  // The subject of the peer's certificate ("CN=billing,O=Acme"), which TLS verified; empty: it showed none.
  std::string peer_subject() const;
  // What ALPN agreed on; empty: nothing.
  std::string_view protocol() const;

 private:
  Outcome tls_outcome(int result, std::size_t count);
  Outcome socket_failure(int error);

  int socket_;
  TlsSession tls_;
  bool buffered_ = false;
  std::string failure_;
};

}  // namespace pinflow::net
