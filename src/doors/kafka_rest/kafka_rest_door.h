#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "doors/kafka_rest/media_type.h"
#include "doors/kafka_rest/produce_request.h"
#include "doors/kafka_rest/profile.h"
#include "doors/worker.h"
#include "http/router.h"
#include "log/embedded_log.h"
#include "log/topic_settings.h"

namespace pinflow::doors::kafka_rest {

struct KafkaRestOptions {
  Profile profile = Profile::kConfluent;
  bool auto_create_topics = false;  // Off: a misspelt topic is an error, not a new topic.
  std::int32_t auto_create_partitions = 1;
  log::Durability durability =
      log::Durability::kPower;          // The log's level, told with every success: Pinflow-Durability.
  log::TopicDefaults topic_defaults{};  // Settings of topics that do not set their own.
};

// The Confluent REST Proxy API v2 over a log, but for its consumers (kafka_rest/consumers.h): topics, their partitions, and producing
// with JSON and binary records. Where the implementations of the API differ it does as the profile says, except that a missing topic is
// answered at once (404 / 40401) and that a produce of which nothing was stored is never 200 (kafka_rest/answers.h).
// Rights are those of request.caller: who may not produce to a topic is told 403 / 40301, whether or not it exists; a topic of which the caller may
// neither query, produce nor consume is not there.
// Lives on the network loop. `log` and `worker` must outlive it; it must outlive the server. Answers in flight do not need it.
class KafkaRestDoor {
 public:
  KafkaRestDoor(log::Log& log, Worker& worker, KafkaRestOptions options)
      : log_(log), worker_(worker), options_(options), rules_(rules_of(options_.profile)) {}

  void add_routes(http::Router& router);

 private:
  using Respond = http::Responder;
  using Handler = void (KafkaRestDoor::*)(http::Request, Respond);

  void add(http::Router& router, std::string method, std::string_view pattern, Handler handler);
  void root(http::Request request, Respond respond);
  void brokers(http::Request request, Respond respond);
  void topics(http::Request request, Respond respond);
  void topic(http::Request request, Respond respond);
  void partitions(http::Request request, Respond respond);
  void partition(http::Request request, Respond respond);
  void offsets(http::Request request, Respond respond);
  void produce(http::Request request, Respond respond);

  http::Response json(std::string body) const;
  Result<log::Topic> visible_topic(const http::Request& request);
  http::Response missing_partitions() const;
  Refusal missing_topic(const std::string& name, const std::shared_ptr<const access::Caller>& caller) const;

  log::Log& log_;
  Worker& worker_;
  const KafkaRestOptions options_;
  const Rules& rules_;
};

}  // namespace pinflow::doors::kafka_rest
