#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinflow::access {
class Caller;
}

namespace pinflow::http {

// Header fields in order; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string name, std::string value);
  void remove(std::string_view name);  // All of that name.
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  std::optional<std::string_view> get(std::string_view name) const;  // The first of that name.
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A body that is handed over in pieces: the one who reads asks for each, so a slow reader holds up the one who writes and nothing
// piles up between them. Destroying it says that no more is wanted (the peer left, the handler is done).
// - Of a request: next() is called on the network loop, by the handler or in a Take; `take` is called there too.
// - Of a response: the server calls next() on its loop, and destroys the stream there; `take` may be called from any thread,
//   also within next(), also after the stream is gone (then it does nothing). next() must not block.
class BodyStream {
 public:
  // Some bytes, never none of them; nothing at the end of the body; an error if the rest will not come: the sender broke off, or
  // sent too much or too slowly. An error of a response's stream resets the connection, so that the peer sees that it is cut.
  using Piece = Result<std::optional<std::string>>;
  using Take = std::move_only_function<void(Piece)>;

  virtual ~BodyStream() = default;
  // Asks for the next piece. Not called again before `take` was, nor after the end or an error.
  virtual void next(Take take) = 0;
};

enum class Version { kHttp10, kHttp11, kHttp2 };

// Who is at the other end of the connection, as far as the transport knows.
struct Peer {
  std::string address;      // "127.0.0.1", "::1".
  bool encrypted = false;   // By TLS.
  std::string certificate;  // Subject of the client certificate that TLS verified, "CN=billing,O=Acme"; empty: none.
};

struct Request {
  std::string method;
  std::string target;                 // As sent: path and query, still encoded.
  std::vector<std::string> segments;  // The path split at '/', each percent-decoded; empty parts dropped.
  std::vector<std::pair<std::string, std::string>> query;       // Decoded, in order.
  std::vector<std::pair<std::string, std::string>> parameters;  // {name} parts of the route, set by the Router.
  Headers headers;   // HTTP/2's :authority stands here as Host. Content-Encoding is gone where the body was unpacked.
  std::string body;  // Unpacked. Empty where the route takes it as a stream.
  std::unique_ptr<BodyStream> body_stream;  // Set for routes that take it as a stream, unpacked too.
  Version version = Version::kHttp11;
  Peer peer;
  std::shared_ptr<const access::Caller>
      caller;  // Who asks, set in Handler::admit(); null where nothing identifies callers.
  // Requested once nobody waits for the answer any more, so that who waits for news can give up. May never be.
  std::stop_token abandoned;

  std::optional<std::string_view> query_value(std::string_view name) const;
  // The part of the path that stands for {name} in the route. That the route has one is the caller's promise.
  const std::string& parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Transfer-Encoding, Date and Connection are the server's.
  std::string body;
  std::unique_ptr<BodyStream> body_stream;  // Instead of `body`, for what is sent as it comes to be.

  static Response json(int status, std::string body, std::string_view content_type = "application/json");
  // {"error_code": code, "message": message}: the form in which the server and most doors say no.
  static Response failure(int status, int code, std::string_view message,
                          std::string_view content_type = "application/json");
  // failure() with the code that our own routes take from the status (404 is 40401), kept by no cache; 503 says when to come back.
  static Response refusal(int status, std::string_view message);
};

}  // namespace pinflow::http
