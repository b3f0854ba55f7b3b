#pragma once

#include <string>
#include <utility>
#include <vector>

#include "access/caller.h"
#include "base/clock.h"
#include "doors/kafka_rest_v3/answers.h"
#include "doors/kafka_rest_v3/produce_stream.h"
#include "doors/kafka_rest_v3/resource_writer.h"
#include "doors/worker.h"
#include "groups/coordinator.h"
#include "http/router.h"
#include "log/log.h"
#include "log/topic_settings.h"

namespace pinflow::doors::kafka_rest_v3 {

struct KafkaRestV3Options {
  std::int32_t default_partitions = 1;  // Of topics made without a number of them.
  log::TopicDefaults topic_defaults{};
  std::string broker_host = "localhost";  // What the broker's resource tells of the Kafka protocol's door.
  std::uint16_t broker_port = 9092;
  std::size_t batch_entries = 10;                   // Most of one produce batch.
  ByteCount stream_record{std::uint64_t{4} << 20};  // Most of one record of a stream, as text.
};

struct KafkaRestV3Parts {
  log::Log& log;
  groups::GroupCoordinator& coordinator;
  Worker& worker;
  const Clock& clock;
  std::string cluster_id;
};

// Confluent's REST API v3 over a log: clusters, brokers, topics and their settings, partitions, consumer groups and their lag, and
// producing by stream and by batch. One cluster of one broker, whose id is 1. What the API has beyond that: ACLs and settings of brokers
// cannot be changed (400 / 40002), nothing is ever reassigned.
// Lives on the network loop. The parts must outlive it; it must outlive the server. Answers in flight do not need it.
class KafkaRestV3Door {
 public:
  KafkaRestV3Door(KafkaRestV3Parts parts, KafkaRestV3Options options)
      : log_(parts.log),
        coordinator_(parts.coordinator),
        worker_(parts.worker),
        clock_(parts.clock),
        cluster_(std::move(parts.cluster_id)),
        options_(std::move(options)) {}

  void add_routes(http::Router& router);

 private:
  using Respond = http::Responder;
  using Handler = void (KafkaRestV3Door::*)(http::Request, Respond);

  void add(http::Router& router, std::string method, std::string_view path, Handler handler,
           http::RouteOptions options = {});

  // door: clusters and brokers
  void clusters(http::Request request, Respond respond);
  void cluster(http::Request request, Respond respond);
  void brokers(http::Request request, Respond respond);
  void broker(http::Request request, Respond respond);
  void acls(http::Request request, Respond respond);
  void write_cluster(ResourceWriter& out) const;
  void write_broker(ResourceWriter& out) const;

  // topic_handlers.cc
  void topics(http::Request request, Respond respond);
  void create_topic(http::Request request, Respond respond);
  void topic(http::Request request, Respond respond);
  void change_topic(http::Request request, Respond respond);
  void delete_topic(http::Request request, Respond respond);
  void partitions(http::Request request, Respond respond);
  void partition(http::Request request, Respond respond);
  void offset(http::Request request, Respond respond);
  void replicas(http::Request request, Respond respond);
  void replica(http::Request request, Respond respond);
  void broker_replicas(http::Request request, Respond respond);
  void reassignments(http::Request request, Respond respond);
  void reassignment(http::Request request, Respond respond);

  // config_handlers.cc
  void all_topic_configs(http::Request request, Respond respond);
  void topic_configs(http::Request request, Respond respond);
  void topic_config(http::Request request, Respond respond);
  void set_topic_config(http::Request request, Respond respond);
  void reset_topic_config(http::Request request, Respond respond);
  void alter_topic_configs(http::Request request, Respond respond);
  void cluster_configs(http::Request request, Respond respond);
  void cluster_config(http::Request request, Respond respond);
  void broker_configs(http::Request request, Respond respond);
  void broker_config(http::Request request, Respond respond);
  void refuse_broker_change(http::Request request, Respond respond);
  void change_settings(http::Request request, Respond respond, std::vector<log::SettingChange> changes,
                       bool validate_only);

  // group_handlers.cc
  void list_groups(http::Request request, Respond respond);
  void group(http::Request request, Respond respond);
  void consumers(http::Request request, Respond respond);
  void consumer(http::Request request, Respond respond);
  void assignments(http::Request request, Respond respond);
  void assignment(http::Request request, Respond respond);
  void lags(http::Request request, Respond respond);
  void lag(http::Request request, Respond respond);
  void lag_summary(http::Request request, Respond respond);
  template <class Write>
  void with_lags(http::Request request, Respond respond, Write write);
  std::optional<groups::DescribedGroup> known_group(const http::Request& request, Respond& respond);

  // produce_handlers.cc
  void produce(http::Request request, Respond respond);
  void produce_batch(http::Request request, Respond respond);

  // Each gives what the path names, or answers why not.
  std::optional<log::Topic> visible_topic(const http::Request& request, Respond& respond);
  std::optional<std::int32_t> known_partition(const http::Request& request, const log::Topic& topic, Respond& respond);
  std::optional<log::Topic> writable_topic(const http::Request& request, Respond& respond);
  bool known_broker(const http::Request& request, Respond& respond);
  bool may_administer(const http::Request& request, std::string_view topic, Respond& respond);
  bool sees(const http::Request& request, const log::Topic& topic) const;

  ResourceWriter writer(const http::Request& request) const { return ResourceWriter(request, cluster_); }

  log::Log& log_;
  groups::GroupCoordinator& coordinator_;
  Worker& worker_;
  const Clock& clock_;
  const std::string cluster_;
  const KafkaRestV3Options options_;
};

inline constexpr std::int32_t kBroker = 1;

}  // namespace pinflow::doors::kafka_rest_v3
