#include "app/pipeline_log.h"

#include <cstdlib>

#include "app/cluster_options.h"
#include "app/kafka_options.h"
#include "kafka_cluster/kafka_log.h"
#include "live/condensed_intake.h"
#include "records/kind.h"

namespace pinflow::app {

namespace {

log::EmbeddedLogOptions log_options(const Environment& environment) {
  const auto& config = environment.config().log;
  log::EmbeddedLogOptions options;
  options.folder = environment.folder("log");
  options.durability = durability(environment.config());
  options.sync_interval = config.sync_interval;
  options.topic_defaults = topic_defaults(environment.config());
  options.max_record_size = config.max_record_size;
  options.max_pending = config.max_pending;
  options.reserved_space = config.reserved_space;
  options.request_window = environment.config().kafka_rest.idempotency_window;
  options.request_capacity = static_cast<std::size_t>(environment.config().kafka_rest.idempotency_keys);
  return options;
}

bool is_cluster(const config::Config& config) {
  return config.log.engine == "kafka";
}

Result<std::unique_ptr<log::Log>> open_cluster(Environment& environment) {
  const config::Config& config = environment.config();
  kafka_cluster::KafkaLogOptions options;
  TRY_ASSIGN(options.properties, cluster_properties(config, *environment.disk));
  options.msk_iam = config.kafka_cluster.sasl_mechanism == "AWS_MSK_IAM";
  if (options.msk_iam) {
    const char* const region = std::getenv("AWS_REGION");
    TRY_ASSIGN(options.region, cluster_region(config, region == nullptr ? "" : region));
  }
  options.max_pending = config.log.max_pending;
  options.max_record_size = config.log.max_record_size;
  options.request_window = config.kafka_rest.idempotency_window;
  options.request_capacity = static_cast<std::size_t>(config.kafka_rest.idempotency_keys);
  auto opened = kafka_cluster::open_kafka_log(std::move(options), environment.clock, *environment.logger);
  if (!opened) return fail(std::move(opened).error().with_context("log.engine = 'kafka'"));
  return opened;
}

Result<void> make_topic(log::Log& log, const std::string& name, std::int32_t partitions) {
  if (log.topic(name)) return {};
  const auto made = log.create_topic({name, partitions, {}});
  if (!made && made.error().code != ErrorCode::kConflict) return fail(made.error());
  return {};
}

}  // namespace

log::Durability durability(const config::Config& config) {
  const std::string& level = config.log.durability;
  if (level == "os") return log::Durability::kOs;
  return level == "interval" ? log::Durability::kInterval : log::Durability::kPower;
}

Result<PipelineLog> open_pipeline_log(Environment& environment) {
  const config::Config& config = environment.config();
  PipelineLog opened;
  if (is_cluster(config)) {
    TRY_ASSIGN(opened.cluster, open_cluster(environment));
    opened.positions = std::make_unique<groups::PositionsLog>(*opened.cluster);
  } else {
    TRY_ASSIGN(opened.embedded, log::open_embedded_log(log_options(environment), *environment.disk, environment.clock,
                                                       *environment.logger));
  }
  const records::Names names{config.topics.prefix};
  for (const records::Kind kind : records::kKinds) {
    TRY(make_topic(opened.log(), names.topic(kind), config.topics.partitions));
    TRY(make_topic(opened.log(), names.stream(kind), config.topics.partitions));
  }
  if (opened.cluster) TRY(live::make_condensed(condensed_topic(config), *opened.cluster));
  return opened;
}

live::CondensedTopic condensed_topic(const config::Config& config) {
  return {.name = config.live.topic, .for_each_kind = config.live.topic_partitions};
}

Result<PipelineLog> open_log_to_read(Environment& environment) {
  PipelineLog opened;
  if (is_cluster(environment.config())) {
    TRY_ASSIGN(opened.cluster, open_cluster(environment));
    return opened;
  }
  log::EmbeddedLogOptions options;
  options.folder = environment.folder("log");
  options.read_only = true;
  TRY_ASSIGN(opened.embedded,
             log::open_embedded_log(options, *environment.disk, environment.clock, *environment.logger));
  return opened;
}

std::string log_place(const Environment& environment) {
  const config::Config& config = environment.config();
  return is_cluster(config) ? "the cluster at " + config.kafka_cluster.bootstrap_servers
                            : environment.folder("log").string();
}

}  // namespace pinflow::app
