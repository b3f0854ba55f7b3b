#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/message.h"

namespace pinflow::http {

// Takes the answer to one request, exactly once, from any thread, also after the connection is gone.
// Dropped unused, it answers 500, so that no client waits for ever.
using Responder = std::move_only_function<void(Response)>;

// What is decided about a request when its head is there and its body is not.
struct Admission {
  std::optional<Response> refusal;  // Answers at once; a body that still comes is passed over or the connection closed.
  bool stream_body = false;         // handle() gets the request at its head, with body_stream.
  std::optional<ByteCount>
      max_body{};  // Instead of ServerOptions::max_body. A streamed body counts by piece, not in all.
};

// Answers requests. Called on the network loop: must not block. What takes time is handed on, with the
// responder.
class Handler {
 public:
  virtual ~Handler() = default;
  // Called once for each request as soon as its head is read, before 100 Continue. May set head.caller. Without body.
  virtual Admission admit(Request& head) {
    (void)head;
    return {};
  }
  virtual void handle(Request request, Responder respond) = 0;
};

struct TlsFiles {
  std::string certificate;  // PEM, the chain from our own upwards. Empty: no TLS.
  std::string key;          // PEM.
  std::string client_ca;    // PEM. Set: certificates of clients are verified by it.
  bool require_client_certificate = false;
  bool allow_plaintext = false;  // Serve also those who speak no TLS, on the same port.
  bool enabled() const { return !certificate.empty(); }
};

// Every limit has its answer: 400 malformed, 408 slow, 413 body, 414 target, 431 headers, 503 connections or memory (with Retry-After);
// over HTTP/2 the same statuses or the protocol's own error codes.
struct ServerOptions {
  std::vector<std::string> addresses{"127.0.0.1", "::1"};  // At least one must be there; "localhost" means both.
  std::uint16_t port = 8082;                               // 0: any free one, see port().
  TlsFiles tls = {};
  ByteCount max_body{std::uint64_t{10} << 20};    // As sent, and unpacked.
  ByteCount max_header{std::uint64_t{16} << 10};  // Target included.
  ByteCount max_target{std::uint64_t{8} << 10};
  std::uint32_t max_unpack_ratio = 100;  // Of a compressed body, past its first 64 KiB.
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{
      60'000};  // Of a body that is collected; and between two pieces of a streamed one.
  std::chrono::milliseconds idle_timeout{60'000};
  std::size_t max_connections = 10'240;
  std::size_t max_connections_per_address = 1'024;  // An IPv6 /64 counts as one.
  ByteCount max_bodies{std::uint64_t{256} << 20};   // Of all connections together, read or being answered.
  std::uint32_t max_streams = 128;                  // Concurrent ones of an HTTP/2 connection.
};

// An HTTP server on one thread of its own: HTTP/1.1 with keep-alive and pipelining; HTTP/2 by ALPN over TLS, and in the clear where
// the connection begins with HTTP/2's preface. It knows no pipeline. Requests of one HTTP/1 connection are handed on one at a time, so
// they take effect and are answered in their order; those of an HTTP/2 connection side by side. Bodies may be chunked and packed by gzip
// or zstd; Expect: 100-continue is obeyed. A peer that does not read holds up its own answers alone.
class Server {
 public:
  virtual ~Server() = default;  // Stops, if stop() was not called.
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  // Reads the certificate files again; connections that begin from now on get the new ones. kInvalid: the old ones stay.
  virtual Result<void> reload_certificates() = 0;
  // Takes no new connections or requests, lets answers in flight go out for at most `grace`, then closes and joins.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

// Binds, listens and starts serving. `handler` and `logger` must outlive the server. kUnavailable: no
// address could be bound; kInvalid: certificate files that cannot be used. The message says which setting to change.
Result<std::unique_ptr<Server>> start_server(const ServerOptions& options, Handler& handler, Logger& logger);

}  // namespace pinflow::http
