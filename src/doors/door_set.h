#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "doors/health.h"
#include "doors/kafka_rest/kafka_rest_door.h"
#include "doors/metrics.h"
#include "doors/streams/streams_door.h"
#include "http/router.h"

namespace pinflow::doors {

struct DoorOptions {
  kafka_rest::KafkaRestOptions kafka_rest;
  streams::StreamsOptions streams;
  std::size_t waiting_jobs = 256;  // Topic changes and reads that may wait for the worker.
};

// All doors of one HTTP server: the handler that it serves. Other parts of the program add their routes to router(), and what must
// hold before traffic may come to health(), what they count to metrics(), all before the server starts.
// `log` and `clock` must outlive it; it must outlive the server: stop the server, destroy this, close the log.
class DoorSet final : public http::Handler {
 public:
  DoorSet(log::Log& log, const Clock& clock, Random random, DoorOptions options);
  http::Router& router() { return router_; }
  Health& health() { return health_; }
  Metrics& metrics() { return metrics_; }
  void handle(http::Request request, http::Responder respond) override {
    router_.handle(std::move(request), std::move(respond));
  }

 private:
  http::Router router_;
  Health health_;
  Metrics metrics_;
  Worker worker_;
  kafka_rest::KafkaRestDoor kafka_rest_;
  streams::StreamsDoor streams_;
};

}  // namespace pinflow::doors
