#pragma once

#include <string>

#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "doors/guard.h"
#include "doors/health.h"
#include "doors/kafka_rest/kafka_rest_door.h"
#include "doors/metrics.h"
#include "doors/streams/streams_door.h"
#include "groups/coordinator.h"
#include "http/router.h"

namespace pinflow::doors {

struct DoorOptions {
  kafka_rest::KafkaRestOptions kafka_rest;
  streams::StreamsOptions streams;
  GuardOptions guard;              // Its tokens must outlive the doors.
  std::size_t waiting_jobs = 256;  // Topic changes and reads that may wait for the worker.
};

// What the doors stand on. All but the last two must outlive them.
struct DoorParts {
  log::Log& log;
  groups::GroupCoordinator& coordinator;
  const Clock& clock;
  Logger& logger;
  Random random;
  std::string cluster_id;  // As Kafka clients see it: 22 characters of base64.
};

// All doors of one HTTP server: the handler that it serves. Other parts of the program add their routes to router(), and what must
// hold before traffic may come to health(), what they count to metrics(), all before the server starts.
// It must outlive the server: stop the server, destroy this, then coordinator and log.
class DoorSet final : public http::Handler {
 public:
  DoorSet(DoorParts parts, DoorOptions options);
  http::Router& router() { return router_; }
  Health& health() { return health_; }
  Metrics& metrics() { return metrics_; }
  http::Admission admit(http::Request& head) override { return guard_.admit(head); }
  void handle(http::Request request, http::Responder respond) override {
    guard_.handle(std::move(request), std::move(respond));
  }

 private:
  http::Router router_;
  Guard guard_;
  Health health_;
  Metrics metrics_;
  Worker worker_;
  kafka_rest::KafkaRestDoor kafka_rest_;
  streams::StreamsDoor streams_;
};

}  // namespace pinflow::doors
