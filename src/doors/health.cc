#include "doors/health.h"

#include "base/json.h"

namespace pinflow::doors {

void Health::add_routes(http::Router& router) {
  router.add("GET", "/healthz", *this, &Health::healthz);
  router.add("GET", "/readyz", *this, &Health::readyz);
}

void Health::healthz(http::Request, http::Responder respond) {
  respond(http::Response::json(200, R"({"status":"ok"})"));
}

void Health::readyz(http::Request, http::Responder respond) {
  bool ready = true;
  JsonWriter reasons;
  reasons.begin_array();
  for (auto& [part, check] : checks_) {
    const auto result = check();
    if (result) continue;
    ready = false;
    reasons.begin_object().key("part").string(part).key("reason").string(result.error().message).end_object();
  }
  reasons.end_array();
  JsonWriter body;
  body.begin_object().key("status").string(ready ? "ready" : "not ready");
  if (!ready) body.key("reasons").raw(std::move(reasons).take());
  body.end_object();
  respond(http::Response::json(ready ? 200 : 503, std::move(body).take()));
}

}  // namespace pinflow::doors
