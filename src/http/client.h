#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace pinflow::http {

// http://host[:port][/prefix], or https://.
struct Url {
  std::string host;
  std::uint16_t port = 80;  // Of https: 443.
  std::string prefix;       // "" or "/Production", no slash at the end.
  bool encrypted = false;   // https.
  static Result<Url> parse(std::string_view text);
  friend bool operator==(const Url&, const Url&) = default;
};

// One keep-alive connection, used by one thread, one request at a time. It connects when first used and again
// after the peer closed. It never repeats a request by itself. kUnavailable: no connection was made, so
// nothing was sent. kUnknownOutcome: sent, but no whole answer came (the peer may have acted). kInvalid: the file of
// authorities cannot be used.
class Client {
 public:
  virtual ~Client() = default;
  // `request.target` is the path and query below the URL's prefix. Host and Content-Length are added.
  virtual Result<Response> send(const Request& request) = 0;
};

// Of https, the server's certificate must be for the URL's host, and be vouched for by `authority`, a PEM file; empty: by whom the
// system trusts.
std::unique_ptr<Client> make_client(const Url& url, std::chrono::milliseconds timeout,
                                    const std::filesystem::path& authority = {});

}  // namespace pinflow::http
