#include "app/pipeline.h"

#include <algorithm>

#include <fmt/core.h>

#include "app/access_parts.h"
#include "app/http_options.h"
#include "app/kafka_options.h"
#include "app/pipeline_metrics.h"
#include "app/query_options.h"
#include "app/sink_options.h"
#include "app/stream_options.h"
#include "base/uuid.h"
#include "doors/door_set.h"
#include "groups/coordinator.h"
#include "groups/timer_thread.h"
#include "http/server.h"
#include "kafka_door/server.h"
#include "live/live_events.h"
#include "live/live_routes.h"
#include "log/embedded_log.h"
#include "query/question_routes.h"
#include "query/sql_route.h"
#include "records/kind.h"

namespace pinflow::app {

namespace {

constexpr std::chrono::seconds kGrace{5};  // For answers in flight when a door closes.

log::Durability durability(const std::string& level) {
  if (level == "os") return log::Durability::kOs;
  return level == "interval" ? log::Durability::kInterval : log::Durability::kPower;
}

log::EmbeddedLogOptions log_options(const Environment& environment) {
  const auto& config = environment.config().log;
  log::EmbeddedLogOptions options;
  options.folder = environment.folder("log");
  options.durability = durability(config.durability);
  options.sync_interval = config.sync_interval;
  options.topic_defaults = topic_defaults(environment.config());
  options.max_record_size = config.max_record_size;
  options.max_pending = config.max_pending;
  options.reserved_space = config.reserved_space;
  options.request_window = environment.config().kafka_rest.idempotency_window;
  options.request_capacity = static_cast<std::size_t>(environment.config().kafka_rest.idempotency_keys);
  return options;
}

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

Result<void> make_topic(log::Log& log, const std::string& name, std::int32_t partitions) {
  if (log.topic(name)) return {};
  const auto made = log.create_topic({name, partitions, {}});
  if (!made && made.error().code != ErrorCode::kConflict) return fail(made.error());
  return {};
}

class OneProcess final : public Pipeline {
 public:
  OneProcess(Environment& environment, Stores& stores)
      : environment_(environment), stores_(stores), names_{environment.config().topics.prefix} {}
  ~OneProcess() override { close_doors(); }

  Result<void> start() {
    const config::Config& config = environment_.config();
    TRY(environment_.disk->create_folders(environment_.folder("state")));
    TRY_ASSIGN(log_,
               log::open_embedded_log(log_options(environment_), *environment_.disk, environment_.clock, logger()));
    for (const records::Kind kind : records::kKinds) {
      TRY(make_topic(*log_, names_.topic(kind), config.topics.partitions));
      TRY(make_topic(*log_, names_.stream(kind), config.topics.partitions));
    }
    coordinator_ = std::make_unique<groups::GroupCoordinator>(coordinator_options(config), *log_, environment_.clock,
                                                              logger(), entropy_seed());
    group_timer_ = std::make_unique<groups::TimerThread>(*coordinator_, environment_.clock);
    TRY(start_sink());
    TRY_ASSIGN(const std::string id, pipeline_id(environment_));
    TRY(start_stream(id));
    start_live();
    TRY(open_doors(id));
    return open_kafka_door(id);
  }

  std::string url() const override { return http_url(environment_.config(), server_->port()); }
  std::string kafka_address() const override {
    return fmt::format("{}:{}", bracketed(kafka_host_), kafka_server_->port());
  }
  log::Log& log() override { return *log_; }
  sink::Sink& sink() override { return *sink_; }
  stream::StreamLane& stream() override { return *stream_; }
  live::LiveMetrics& live() override { return *live_; }

  Result<void> catch_up(std::chrono::milliseconds timeout, std::stop_token stop) override {
    TRY(sink_->flush(timeout, stop));
    TRY(stream_->wait_until_caught_up(timeout, stop));
    for (const records::Kind kind : records::kKinds) TRY(live_catches_up(names_.stream(kind), timeout));
    return {};
  }

  void reload_files() override {
    access_.reload(logger());
    const auto tell = [this](const Result<void>& reloaded) {
      if (reloaded) return;
      logger().error("certificates stay as they were", {{"why", reloaded.error().message}});
    };
    tell(server_->reload_certificates());
    if (kinesis_server_) tell(kinesis_server_->reload_certificates());
    tell(kafka_server_->reload_certificates());
  }

  void close_doors() override {
    if (live_events_) live_events_->close();  // They would last as long as the grace.
    if (kafka_server_) kafka_server_->stop(kGrace);
    if (kinesis_server_) kinesis_server_->stop(kGrace);
    if (server_) server_->stop(kGrace);
  }

 private:
  Logger& logger() { return *environment_.logger; }

  Result<void> start_sink() {
    TRY_ASSIGN(auto options, sink_options(environment_, names_));
    sink_ = std::make_unique<sink::Sink>(std::move(options), *log_, *stores_.objects, environment_.clock, logger());
    return {};
  }

  Result<void> start_stream(const std::string& id) {
    TRY_ASSIGN(const auto options, stream_options(environment_.config(), id));
    TRY_ASSIGN(keeper_, open_keeper_engine(environment_, stores_));
    stream::StreamContext context{*log_,   *stores_.tables, *stores_.engine, stores_.statements, environment_.clock,
                                  logger()};
    context.keeper_engine = keeper_.engine.get();
    Random random(entropy_seed());
    stream_ = std::make_unique<stream::StreamLane>(options, context, random);
    return {};
  }

  void start_live() {
    const auto& config = environment_.config().live;
    live::LiveOptions options;
    for (const records::Kind kind : records::kKinds) options.topics.push_back(names_.stream(kind));
    options.state.profiles.max_profiles = static_cast<std::size_t>(config.max_profiles);
    options.state.max_categories = static_cast<std::size_t>(config.max_categories);
    options.state.max_countries = static_cast<std::size_t>(config.max_countries);
    options.state.max_pairs = static_cast<std::size_t>(config.max_pairs);
    options.state.max_pending = static_cast<std::size_t>(config.max_pending);
    options.state.max_seen_pages = static_cast<std::size_t>(std::max<std::int64_t>(config.max_seen_pages, 2));
    options.state.allowed_lateness = config.allowed_lateness;
    options.idle_after = config.idle_after;
    options.checkpoint = {.folder = environment_.folder("state") / "live", .interval = config.checkpoint_interval};
    live_ = std::make_unique<live::LiveMetrics>(options, *log_, *environment_.disk, environment_.clock, logger());
    live_routes_ = std::make_unique<live::LiveRoutes>(*live_);
    live_events_ = std::make_unique<live::LiveEvents>(*live_, environment_.clock);
    query_runner_ = std::make_unique<query::QueryRunner>(
        query_options(environment_), query::RunnerContext{*stores_.tables, *stores_.engine, stores_.statements, names_,
                                                          environment_.clock, logger()});
    sql_route_ = std::make_unique<query::SqlRoute>(*query_runner_);
    question_routes_ = std::make_unique<query::QuestionRoutes>(*stores_.tables, *stores_.engine, stores_.statements);
  }

  Result<void> live_catches_up(const std::string& stream, std::chrono::milliseconds timeout) {
    TRY_ASSIGN(const log::Topic topic, log_->topic(stream));
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
      const log::TopicPartition at{stream, log::PartitionId(partition)};
      TRY_ASSIGN(const log::OffsetRange range, log_->offsets(at));
      if (!live_->wait_until(at, range.end, timeout)) {
        return fail(ErrorCode::kUnavailable, fmt::format("live metrics have not read all of {} in time", stream));
      }
    }
    return {};
  }

  Result<void> open_doors(const std::string& id) {
    const config::Config& config = environment_.config();
    doors::DoorOptions options;
    options.kafka_rest.auto_create_topics = config.http.auto_create_topics;
    options.kafka_rest.auto_create_partitions = config.topics.partitions;
    options.kafka_rest.durability = durability(config.log.durability);
    options.kafka_rest.topic_defaults = topic_defaults(config);
    options.kafka_rest.profile = *doors::kafka_rest::profile_of(config.kafka_rest.profile);  // It was checked.
    options.consumers = consumer_options(config);
    options.kinesis_operations.shard_limit = config.kinesis.shard_limit;
    options.kinesis_operations.change_delay = config.kinesis.change_delay;
    options.kinesis_operations.enforce_limits = config.kinesis.enforce_limits;
    options.kinesis_operations.read_threads = static_cast<std::size_t>(std::max(config.kinesis.read_threads, 1));
    options.streams.apigw_status = config.streams.apigw_status;
    TRY_ASSIGN(access_, open_access(environment_));
    options.guard = access_.guard;
    options.kinesis_door.cors = config.kinesis.cors;
    options.kinesis_door.verifier = access_.verifier.get();
    options.kinesis_door.account = config.kinesis.account;
    options.kinesis_door.region = config.kinesis.region;
    options.kafka_rest_v3.default_partitions = config.topics.partitions;
    options.kafka_rest_v3.topic_defaults = topic_defaults(config);
    options.kafka_rest_v3.broker_port = config.kafka.port;
    options.kafka_rest_v3.batch_entries = static_cast<std::size_t>(config.kafka_rest.max_batch_entries);
    if (const auto& advertised = config.kafka.advertised; !advertised.empty())
      options.kafka_rest_v3.broker_host = advertised.substr(0, advertised.rfind(':'));
    TRY_ASSIGN(const Uuid uuid, Uuid::parse(id));
    const doors::DoorParts parts{*log_,    *coordinator_,          environment_.clock,
                                 logger(), Random(entropy_seed()), cluster_id(uuid)};
    doors_ = std::make_unique<doors::DoorSet>(parts, options);
    add_readiness_checks(doors_->health());
    add_metrics(doors_->metrics());
    live_routes_->add_to(doors_->router());
    live_events_->add_to(doors_->router());
    sql_route_->add_to(doors_->router());
    question_routes_->add_to(doors_->router());
    auto server = http::start_server(http_options(config), *doors_, logger());
    if (!server) {
      return fail(server.error().code, fmt::format("{}: --set http.port=8083, say", server.error().message));
    }
    server_ = std::move(*server);
    return config.kinesis.port == 0 ? Result<void>{} : open_kinesis_port(options);
  }

  // Kinesis on a port of its own, where also the path / and every method are its: over the operations of the shared port.
  Result<void> open_kinesis_port(const doors::DoorOptions& options) {
    kinesis_port_ = std::make_unique<doors::KinesisPort>(doors_->kinesis(), options.kinesis_door, options.guard,
                                                         environment_.clock, logger(), Random(entropy_seed()));
    http::ServerOptions server_options = http_options(environment_.config());
    server_options.port = environment_.config().kinesis.port;
    auto server = http::start_server(server_options, *kinesis_port_, logger());
    if (!server) {
      return fail(server.error().code, fmt::format("{}: --set kinesis.port=4568, say", server.error().message));
    }
    kinesis_server_ = std::move(*server);
    return {};
  }

  Result<void> open_kafka_door(const std::string& id) {
    TRY_ASSIGN(const Uuid uuid, Uuid::parse(id));
    TRY_ASSIGN(const auto options, kafka_options(environment_.config(), *environment_.disk, uuid));
    auto server = kafka_door::start_server(options, *log_, *coordinator_, environment_.clock, logger());
    if (!server) return fail(server.error());
    kafka_server_ = std::move(*server);
    kafka_host_ = options.addresses.front();
    return {};
  }

  // Each answers from memory: what would keep posts from being taken or from going on to tables.
  void add_readiness_checks(doors::Health& health) {
    health.add_check("sink", [this]() -> Result<void> {
      for (const sink::PartitionStatus& partition : sink_->status().partitions) {
        if (!partition.error.empty()) return fail(ErrorCode::kUnavailable, partition.error);
      }
      return {};
    });
    health.add_check("stream", [this]() -> Result<void> {
      for (const stream::TableStatus& table : stream_->status()) {
        if (!table.error.empty()) return fail(ErrorCode::kUnavailable, table.table + ": " + table.error);
      }
      return {};
    });
  }

  void add_metrics(doors::Metrics& metrics) {
    metrics.add_source([this](doors::MetricsWriter& out) {
      write_log_metrics(out, *log_, environment_.config().log.durability);
      write_sink_metrics(out, sink_->status());
      write_stream_metrics(out, stream_->status());
      write_live_metrics(out, live_->status());
      write_event_metrics(out, live_events_->counts());
      write_refused_metrics(out, doors_->refused());
    });
  }

  Environment& environment_;
  Stores& stores_;
  const records::Names names_;
  // In the order of use: each stands on those before it and is destroyed before them.
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<groups::GroupCoordinator> coordinator_;
  std::unique_ptr<groups::TimerThread> group_timer_;
  std::unique_ptr<sink::Sink> sink_;
  KeeperEngine keeper_;
  std::unique_ptr<stream::StreamLane> stream_;
  std::unique_ptr<live::LiveMetrics> live_;
  std::unique_ptr<live::LiveRoutes> live_routes_;
  std::unique_ptr<live::LiveEvents> live_events_;
  std::unique_ptr<query::QueryRunner> query_runner_;
  std::unique_ptr<query::SqlRoute> sql_route_;
  std::unique_ptr<query::QuestionRoutes> question_routes_;
  AccessParts access_;
  std::unique_ptr<doors::DoorSet> doors_;
  std::unique_ptr<doors::KinesisPort> kinesis_port_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> kinesis_server_;
  std::unique_ptr<kafka_door::KafkaServer> kafka_server_;
  std::string kafka_host_;
};

}  // namespace

Result<std::unique_ptr<Pipeline>> start_pipeline(Environment& environment, Stores& stores) {
  auto pipeline = std::make_unique<OneProcess>(environment, stores);
  TRY(pipeline->start());
  return pipeline;
}

}  // namespace pinflow::app
