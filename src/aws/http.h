#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinflow::aws {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Takes the body of an answer piece by piece; an error ends the call with it.
using BodySink = std::function<Result<void>(std::string_view piece)>;

// One call of an HTTP service. Views must outlive the call.
struct HttpRequest {
  std::string method;
  std::string url;  // Encoded.
  Headers headers;  // Host among them.
  std::string_view body = {};
  BodySink sink =
      {};  // Of an answer with status 200 or 206; without one, and for other answers, HttpResponse has the body.
  bool direct = false;  // Never through a proxy: for addresses of this machine's own surroundings.
  std::chrono::milliseconds timeout{
      60'000};  // Of the whole call; 0: none. A call that moves no byte for 30 s ends as well.
};

struct HttpResponse {
  int status = 0;
  Headers headers;   // Names in lower case.
  std::string body;  // At most 16 MiB.
  const std::string* header(std::string_view name) const;
};

// Carries HTTP calls. Safe from any thread; calls block. kUnavailable: no whole answer came, and whether the request was
// carried out is not known. Statuses, whatever they are, are no errors here.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

}  // namespace pinflow::aws
