#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/access_parts.h"
#include "app/environment.h"
#include "base/result.h"
#include "doors/guard.h"
#include "doors/health.h"
#include "doors/metrics.h"
#include "http/router.h"
#include "http/server.h"

namespace pinflow::app {

// The HTTP door of a process that serves nobody but those who look after it: /healthz, /readyz, /metrics, behind the same rules as all
// doors. `environment` and what `add` refers to must outlive it.
class StatusDoor final : public http::Handler {
 public:
  using AddTo = std::function<void(doors::Health&, doors::Metrics&)>;

  static Result<std::unique_ptr<StatusDoor>> open(Environment& environment, const AddTo& add);
  ~StatusDoor() override { close(); }
  void close();
  void reload_files();
  std::string url() const;

  http::Admission admit(http::Request& head) override { return guard_.admit(head); }
  void handle(http::Request request, http::Responder respond) override {
    guard_.handle(std::move(request), std::move(respond));
  }

 private:
  StatusDoor(Environment& environment, AccessParts access);

  Environment& environment_;
  AccessParts access_;
  http::Router router_;
  doors::Health health_;
  doors::Metrics metrics_;
  doors::Guard guard_;
  std::unique_ptr<http::Server> server_;  // Last: it calls all of the above.
};

}  // namespace pinflow::app
