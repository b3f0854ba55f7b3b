#include "app/serving.h"

#include <algorithm>

#include <fmt/core.h>

#include "app/http_options.h"
#include "app/kafka_options.h"
#include "app/pipeline_log.h"
#include "app/pipeline_metrics.h"
#include "app/query_options.h"
#include "base/random.h"
#include "base/uuid.h"

namespace pinflow::app {

namespace {

constexpr std::chrono::seconds kGrace{5};  // For answers in flight when a door closes.

groups::CoordinatorOptions coordinator_options(const config::Config& config) {
  groups::CoordinatorOptions options;
  options.initial_rebalance_delay = config.kafka.group_rebalance_delay;
  options.offsets_retention = config.kafka.offsets_retention;
  return options;
}

doors::kafka_rest::ConsumerOptions consumer_options(const config::Config& config) {
  doors::kafka_rest::ConsumerOptions options;
  options.profile = *doors::kafka_rest::profile_of(config.kafka_rest.profile);
  options.base_uri = config.kafka_rest.base_uri;
  options.idle_timeout = config.kafka_rest.consumer_idle_timeout;
  options.max_instances = static_cast<std::size_t>(config.kafka_rest.max_consumers);
  options.max_instances_of_caller = static_cast<std::size_t>(config.kafka_rest.max_consumers_per_caller);
  return options;
}

}  // namespace

Serving::Serving(const ServingParts& parts) : parts_(parts), names_{parts.environment.config().topics.prefix} {
  coordinator_ = std::make_unique<groups::GroupCoordinator>(coordinator_options(config()), parts_.groups,
                                                            parts_.environment.clock, logger(), entropy_seed());
  group_timer_ = std::make_unique<groups::TimerThread>(*coordinator_, parts_.environment.clock);
  start_live();
  start_queries();
}

void Serving::start_live() {
  const auto& live = config().live;
  live::LiveOptions options;
  for (const records::Kind kind : records::kKinds) options.topics.push_back(names_.stream(kind));
  options.state.profiles.max_profiles = static_cast<std::size_t>(live.max_profiles);
  options.state.max_categories = static_cast<std::size_t>(live.max_categories);
  options.state.max_countries = static_cast<std::size_t>(live.max_countries);
  options.state.max_pairs = static_cast<std::size_t>(live.max_pairs);
  options.state.max_pending = static_cast<std::size_t>(live.max_pending);
  options.state.max_seen_pages = static_cast<std::size_t>(std::max<std::int64_t>(live.max_seen_pages, 2));
  options.state.allowed_lateness = live.allowed_lateness;
  options.idle_after = live.idle_after;
  options.checkpoint = {.folder = parts_.environment.folder("state") / "live", .interval = live.checkpoint_interval};
  if (config().log.engine == "kafka") {
    options.condensed = condensed_topic(config());
    options.names = names_;
    options.earlier_checkpoint = options.checkpoint->folder;
    options.checkpoint->folder = parts_.environment.folder("state") / "live-condensed";
  }
  live_ = std::make_unique<live::LiveMetrics>(options, parts_.log, *parts_.environment.disk, parts_.environment.clock,
                                              logger());
  live_routes_ = std::make_unique<live::LiveRoutes>(*live_);
  live_events_ = std::make_unique<live::LiveEvents>(*live_, parts_.environment.clock);
}

void Serving::start_queries() {
  const Stores& stores = parts_.stores;
  query_runner_ = std::make_unique<query::QueryRunner>(
      query_options(parts_.environment), query::RunnerContext{*stores.tables, *stores.engine, stores.statements, names_,
                                                              parts_.environment.clock, logger()});
  sql_route_ = std::make_unique<query::SqlRoute>(*query_runner_);
  question_routes_ = std::make_unique<query::QuestionRoutes>(*stores.tables, *stores.engine, stores.statements);
}

Result<void> Serving::open(const AddTo& add) {
  TRY(open_http(add));
  return parts_.broker == nullptr ? Result<void>{} : open_kafka_door();
}

// All but who may do what.
doors::DoorOptions Serving::door_options() {
  const config::Config& config = this->config();
  doors::DoorOptions options;
  options.kafka_rest.auto_create_topics = config.http.auto_create_topics;
  options.kafka_rest.auto_create_partitions = config.topics.partitions;
  options.kafka_rest.durability = durability(config);
  options.kafka_rest.topic_defaults = topic_defaults(config);
  options.kafka_rest.profile = *doors::kafka_rest::profile_of(config.kafka_rest.profile);  // It was checked.
  options.consumers = consumer_options(config);
  options.kinesis_operations.shard_limit = config.kinesis.shard_limit;
  options.kinesis_operations.change_delay = config.kinesis.change_delay;
  options.kinesis_operations.enforce_limits = config.kinesis.enforce_limits;
  options.kinesis_operations.read_threads = static_cast<std::size_t>(std::max(config.kinesis.read_threads, 1));
  options.streams.apigw_status = config.streams.apigw_status;
  options.kinesis_door.cors = config.kinesis.cors;
  options.kinesis_door.account = config.kinesis.account;
  options.kinesis_door.region = config.kinesis.region;
  options.kafka_rest_v3.default_partitions = config.topics.partitions;
  options.kafka_rest_v3.topic_defaults = topic_defaults(config);
  options.kafka_rest_v3.broker_port = config.kafka.port;
  options.kafka_rest_v3.batch_entries = static_cast<std::size_t>(config.kafka_rest.max_batch_entries);
  if (const auto& advertised = config.kafka.advertised; !advertised.empty())
    options.kafka_rest_v3.broker_host = advertised.substr(0, advertised.rfind(':'));
  return options;
}

// To another Kinesis, where the settings name one.
Result<void> Serving::pass_kinesis_on(doors::DoorOptions& options) {
  const std::string& endpoint = config().kinesis.forward_to;
  if (endpoint.empty()) return {};
  TRY_ASSIGN(kinesis_remote_, open_kinesis_remote(parts_.environment, "kinesis.forward_to", endpoint));
  kinesis_passing_ = std::make_unique<doors::kinesis::RemoteOperations>(*kinesis_remote_.client, logger(),
                                                                        doors::kinesis::RemoteOptions{});
  options.kinesis = kinesis_passing_.get();
  return {};
}

Result<void> Serving::open_http(const AddTo& add) {
  doors::DoorOptions options = door_options();
  TRY_ASSIGN(access_, open_access(parts_.environment));
  options.guard = access_.guard;
  options.kinesis_door.verifier = access_.verifier.get();
  TRY(pass_kinesis_on(options));
  TRY_ASSIGN(const Uuid uuid, Uuid::parse(parts_.pipeline_id));
  const doors::DoorParts parts{parts_.log, *coordinator_,          parts_.environment.clock,
                               logger(),   Random(entropy_seed()), cluster_id(uuid)};
  doors_ = std::make_unique<doors::DoorSet>(parts, options);
  doors_->metrics().add_source([this](doors::MetricsWriter& out) {
    write_live_metrics(out, live_->status());
    write_event_metrics(out, live_events_->counts());
    write_refused_metrics(out, doors_->refused());
  });
  live_routes_->add_to(doors_->router());
  live_events_->add_to(doors_->router());
  sql_route_->add_to(doors_->router());
  question_routes_->add_to(doors_->router());
  add(*doors_);
  auto server = http::start_server(http_options(config()), *doors_, logger());
  if (!server) {
    return fail(server.error().code, fmt::format("{}: --set http.port=8083, say", server.error().message));
  }
  server_ = std::move(*server);
  return config().kinesis.port == 0 ? Result<void>{} : open_kinesis_port(options);
}

// Kinesis on a port of its own, where also the path / and every method are its: over the operations of the shared port.
Result<void> Serving::open_kinesis_port(const doors::DoorOptions& options) {
  kinesis_port_ = std::make_unique<doors::KinesisPort>(doors_->kinesis(), options.kinesis_door, options.guard,
                                                       parts_.environment.clock, logger(), Random(entropy_seed()));
  http::ServerOptions server_options = http_options(config());
  server_options.port = config().kinesis.port;
  auto server = http::start_server(server_options, *kinesis_port_, logger());
  if (!server) {
    return fail(server.error().code, fmt::format("{}: --set kinesis.port=4568, say", server.error().message));
  }
  kinesis_server_ = std::move(*server);
  return {};
}

Result<void> Serving::open_kafka_door() {
  TRY_ASSIGN(const Uuid uuid, Uuid::parse(parts_.pipeline_id));
  TRY_ASSIGN(const auto options, kafka_options(config(), *parts_.environment.disk, uuid));
  auto server = kafka_door::start_server(options, *parts_.broker, *coordinator_, parts_.environment.clock, logger());
  if (!server) return fail(server.error());
  kafka_server_ = std::move(*server);
  kafka_host_ = options.addresses.front();
  return {};
}

void Serving::close() {
  if (live_events_) live_events_->close();  // They would last as long as the grace.
  if (kafka_server_) kafka_server_->stop(kGrace);
  if (kinesis_server_) kinesis_server_->stop(kGrace);
  if (server_) server_->stop(kGrace);
}

void Serving::reload_files() {
  access_.reload(logger());
  const auto tell = [this](const Result<void>& reloaded) {
    if (reloaded) return;
    logger().error("certificates stay as they were", {{"why", reloaded.error().message}});
  };
  tell(server_->reload_certificates());
  if (kinesis_server_) tell(kinesis_server_->reload_certificates());
  if (kafka_server_) tell(kafka_server_->reload_certificates());
}

std::string Serving::url() const {
  return http_url(config(), server_->port());
}

std::string Serving::kafka_address() const {
  return kafka_server_ ? fmt::format("{}:{}", bracketed(kafka_host_), kafka_server_->port()) : std::string();
}

Result<void> Serving::catch_up(std::chrono::milliseconds timeout) {
  for (const records::Kind kind : records::kKinds) {
    const std::string stream = names_.stream(kind);
    TRY_ASSIGN(const log::Topic topic, parts_.log.topic(stream));
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
      const log::TopicPartition at{stream, log::PartitionId(partition)};
      TRY_ASSIGN(const log::OffsetRange range, parts_.log.offsets(at));
      if (!live_->wait_until(at, range.end, timeout)) {
        return fail(ErrorCode::kUnavailable, fmt::format("live metrics have not read all of {} in time", stream));
      }
    }
  }
  return {};
}

}  // namespace pinflow::app
