#pragma once

#include <cstdint>
#include <string>

#include "doors/kafka_rest/produce_request.h"
#include "doors/worker.h"
#include "http/router.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest {

struct KafkaRestOptions {
  bool auto_create_topics = false;  // Off: a misspelt topic is an error, not a new topic.
  std::int32_t auto_create_partitions = 1;
};

// The producer's half of the Confluent REST Proxy API v2 over a log: topics, their partitions, and producing with JSON and
// binary records. Where the implementations of the API differ it does as Confluent's does, except that a missing topic is
// answered at once (404 / 40401), that Accept: application/json is allowed, and that a produce of which nothing was stored is
// never 200 (kafka_rest/answers.h).
// Lives on the network loop. `log` and `worker` must outlive it; it must outlive the server. Answers in flight do not need it.
class KafkaRestDoor {
 public:
  KafkaRestDoor(log::Log& log, Worker& worker, KafkaRestOptions options)
      : log_(log), worker_(worker), options_(options) {}

  void add_routes(http::Router& router);

 private:
  using Respond = http::Responder;
  void root(http::Request request, Respond respond);
  void brokers(http::Request request, Respond respond);
  void topics(http::Request request, Respond respond);
  void topic(http::Request request, Respond respond);
  void partitions(http::Request request, Respond respond);
  void partition(http::Request request, Respond respond);
  void offsets(http::Request request, Respond respond);
  void produce(http::Request request, Respond respond);

  void create_then_produce(const std::string& topic, ProduceRequest request, Respond respond);
  Refusal missing_topic(const std::string& name, int code, std::string_view words) const;

  log::Log& log_;
  Worker& worker_;
  const KafkaRestOptions options_;
};

}  // namespace pinflow::doors::kafka_rest
