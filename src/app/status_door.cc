#include "app/status_door.h"

#include <fmt/core.h>

#include "app/http_options.h"
#include "app/pipeline_metrics.h"

namespace pinflow::app {

namespace {
constexpr std::chrono::seconds kGrace{5};  // For answers in flight when the door closes.
}  // namespace

StatusDoor::StatusDoor(Environment& environment, AccessParts access)
    : environment_(environment),
      access_(std::move(access)),
      guard_(access_.guard, environment.clock, *environment.logger, router_) {}

Result<std::unique_ptr<StatusDoor>> StatusDoor::open(Environment& environment, const AddTo& add) {
  TRY_ASSIGN(auto access, open_access(environment));
  std::unique_ptr<StatusDoor> door(new StatusDoor(environment, std::move(access)));
  add(door->health_, door->metrics_);
  door->metrics_.add_source(
      [&refused = door->guard_](doors::MetricsWriter& out) { write_refused_metrics(out, refused.refused()); });
  door->health_.add_routes(door->router_);
  door->metrics_.add_routes(door->router_);
  auto server = http::start_server(http_options(environment.config()), *door, *environment.logger);
  if (!server) {
    return fail(server.error().code,
                fmt::format("{}: each process needs a port of its own for its health and metrics; --set http.port=0 "
                            "takes any free one",
                            server.error().message));
  }
  door->server_ = std::move(*server);
  return door;
}

void StatusDoor::close() {
  if (server_) server_->stop(kGrace);
}

void StatusDoor::reload_files() {
  access_.reload(*environment_.logger);
  if (const auto reloaded = server_->reload_certificates(); !reloaded)
    environment_.logger->error("certificates stay as they were", {{"why", reloaded.error().message}});
}

std::string StatusDoor::url() const {
  return http_url(environment_.config(), server_->port());
}

}  // namespace pinflow::app
