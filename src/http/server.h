#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/logger.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/message.h"

namespace pinflow::http {

// Takes the answer to one request, exactly once, from any thread, also after the connection is gone.
// Dropped unused, it answers 500, so that no client waits for ever.
using Responder = std::move_only_function<void(Response)>;

// Answers requests. Called on the network loop: must not block. What takes time is handed on, with the
// responder.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void handle(Request request, Responder respond) = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8082;  // 0: any free one, see port().
  ByteCount max_body{std::uint64_t{10} << 20};
  ByteCount max_header{std::uint64_t{16} << 10};
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{60'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::size_t max_connections = 10'240;
  ByteCount max_bodies{std::uint64_t{256} << 20};  // Of all connections together, read or being answered.
};

// An HTTP/1.1 server with keep-alive on one thread of its own. It knows no pipeline. Requests of one
// connection are handed on one at a time, so they take effect and are answered in their order. Over its
// limits it answers for itself in JSON {"error_code","message"}: 400 malformed, 408 slow, 413 body, 431
// headers, 503 connections. Bodies may be chunked; Expect: 100-continue is obeyed.
class Server {
 public:
  virtual ~Server() = default;  // Stops, if stop() was not called.
  virtual std::uint16_t port() const = 0;
  // Takes no new connections or requests, lets answers in flight go out for at most `grace`, then closes and
  // joins.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

// Binds, listens and starts serving. `handler` and `logger` must outlive the server. kUnavailable: the
// address is taken; the message says by whom to tell and which setting to change.
Result<std::unique_ptr<Server>> start_server(const ServerOptions& options, Handler& handler, Logger& logger);

}  // namespace pinflow::http
