#pragma once

#include <string>

#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "doors/guard.h"
#include "doors/health.h"
#include "doors/kafka_rest/consumers.h"
#include "doors/kafka_rest/kafka_rest_door.h"
#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"
#include "doors/kinesis/kinesis_door.h"
#include "doors/kinesis/operations.h"
#include "doors/metrics.h"
#include "doors/streams/streams_door.h"
#include "groups/coordinator.h"
#include "http/router.h"

namespace pinflow::doors {

struct DoorOptions {
  kafka_rest::KafkaRestOptions kafka_rest;
  kafka_rest_v3::KafkaRestV3Options kafka_rest_v3;
  kafka_rest::ConsumerOptions consumers;
  streams::StreamsOptions streams;
  kinesis::KinesisOptions kinesis_operations;
  kinesis::Operations* kinesis =
      nullptr;  // Instead of those over the log: what passes calls on, or a test's; must outlive the doors.
  kinesis::KinesisDoorOptions kinesis_door;
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

// Requests to the path / that AWS's clients send go to the Kinesis door, all others to the routes. Owns neither.
class KinesisOrRoutes final : public http::Handler {
 public:
  KinesisOrRoutes(http::Handler& kinesis, http::Handler& routes) : kinesis_(kinesis), routes_(routes) {}
  http::Admission admit(http::Request& head) override { return handler_of(head).admit(head); }
  void handle(http::Request request, http::Responder respond) override {
    handler_of(request).handle(std::move(request), std::move(respond));
  }

 private:
  http::Handler& handler_of(const http::Request& head) {
    return kinesis::KinesisDoor::is_kinesis(head) ? kinesis_ : routes_;
  }
  http::Handler& kinesis_;
  http::Handler& routes_;
};

// The Kinesis door alone, behind a guard of its own: the handler of a server on a port that only AWS's clients use. `operations`, the
// options' verifier and tokens, `clock` and `logger` must outlive it, and it the server.
class KinesisPort final : public http::Handler {
 public:
  KinesisPort(kinesis::Operations& operations, kinesis::KinesisDoorOptions door, GuardOptions guard, const Clock& clock,
              Logger& logger, Random random)
      : door_(operations, random, std::move(door)), guard_(std::move(guard), clock, logger, door_) {}
  http::Admission admit(http::Request& head) override { return guard_.admit(head); }
  void handle(http::Request request, http::Responder respond) override {
    guard_.handle(std::move(request), std::move(respond));
  }

 private:
  kinesis::KinesisDoor door_;
  Guard guard_;
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
  // For a port of its own (KinesisPort), whose server ends before this.
  kinesis::Operations& kinesis() { return *kinesis_calls_; }
  const RefusedCounts& refused() const { return guard_.refused(); }  // On the network loop.
  http::Admission admit(http::Request& head) override { return guard_.admit(head); }
  void handle(http::Request request, http::Responder respond) override {
    guard_.handle(std::move(request), std::move(respond));
  }

 private:
  http::Router router_;
  kinesis::KinesisOperations operations_;
  kinesis::Operations* kinesis_calls_;  // Those, or others instead.
  kinesis::KinesisDoor kinesis_;
  KinesisOrRoutes split_;
  Guard guard_;
  Health health_;
  Metrics metrics_;
  Worker worker_;
  kafka_rest::KafkaRestDoor kafka_rest_;
  kafka_rest_v3::KafkaRestV3Door kafka_rest_v3_;
  kafka_rest::Consumers consumers_;
  streams::StreamsDoor streams_;
};

}  // namespace pinflow::doors
