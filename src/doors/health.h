#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/router.h"

namespace pinflow::doors {

// GET /healthz: 200 as long as the loop turns. GET /readyz: 200 when every check passes, else 503 with each reason.
// Checks are added before the server starts; they run on the network loop, so they answer from memory. A check must not
// refer to what ends before the server.
class Health {
 public:
  using Check = std::move_only_function<Result<void>()>;
  void add_check(std::string part, Check check) { checks_.emplace_back(std::move(part), std::move(check)); }
  void add_routes(http::Router& router);

 private:
  void healthz(http::Request request, http::Responder respond);
  void readyz(http::Request request, http::Responder respond);
  std::vector<std::pair<std::string, Check>> checks_;
};

}  // namespace pinflow::doors
