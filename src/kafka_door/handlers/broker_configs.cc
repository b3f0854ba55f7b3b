#include "kafka_door/handlers/broker_configs.h"

#include <algorithm>

#include <fmt/format.h>

#include "kafka_door/handlers/session.h"

namespace pinflow::kafka_door {

using kafka_wire::ConfigSource;
using kafka_wire::ConfigType;
using kafka_wire::DescribeConfigsResponse;

namespace {
struct BrokerSetting {
  std::string name;
  std::string value;
  ConfigType type;
  bool from_configuration;
  std::string_view documentation;
};

std::string text(bool value) {
  return value ? "true" : "false";
}

std::vector<BrokerSetting> broker_settings(const Context& context, const Call& call) {
  const KafkaServerOptions& options = context.options;
  const KafkaServerLimits& limits = options.limits;
  const std::string_view protocol = options.tls.enabled() ? "SSL" : "PLAINTEXT";
  return {
      {"advertised.listeners",
       fmt::format("{}://{}:{}", protocol, advertised_host(context, call), advertised_port(context, call)),
       ConfigType::kString, true, "Where clients find the broker."},
      {"auto.create.topics.enable", text(options.auto_create_topics), ConfigType::kBoolean, true,
       "Whether a topic is made when a client asks for it (kafka.auto_create_topics)."},
      {"broker.id", std::to_string(kBrokerId), ConfigType::kInt, false, "There is one broker."},
      {"compression.type", "producer", ConfigType::kString, false,
       "Batches are stored as the producer compressed them."},
      {"connections.max.idle.ms", std::to_string(limits.idle_timeout.count()), ConfigType::kLong, true,
       "After that an idle connection is closed (kafka.idle_timeout)."},
      {"default.replication.factor", "1", ConfigType::kInt, false, "There is one broker."},
      {"delete.topic.enable", "true", ConfigType::kBoolean, false, "Topics can be deleted."},
      {"fetch.max.bytes", std::to_string(limits.max_fetch.count()), ConfigType::kInt, true,
       "Most bytes of one Fetch response."},
      {"max.connections", std::to_string(limits.max_connections), ConfigType::kInt, true,
       "Connections at a time (kafka.max_connections)."},
      {"min.insync.replicas", "1", ConfigType::kInt, false, "There is one broker."},
      {"node.id", std::to_string(kBrokerId), ConfigType::kInt, false, "There is one broker."},
      {"num.network.threads", std::to_string(options.loops), ConfigType::kInt, true, "Network loops (kafka.threads)."},
      {"num.partitions", std::to_string(options.default_partitions), ConfigType::kInt, true,
       "Of topics made without a number of them (kafka.default_partitions)."},
      {"offsets.topic.replication.factor", "1", ConfigType::kShort, false,
       "Positions of groups are stored in the log itself."},
      {"socket.request.max.bytes", std::to_string(limits.max_request.count()), ConfigType::kInt, true,
       "Largest request (kafka.max_request)."},
  };
}
}  // namespace

std::vector<DescribeConfigsResponse::Config> describe_broker_configs(const Context& context, const Call& call,
                                                                     ConfigDetail detail) {
  auto settings = broker_settings(context, call);
  for (const log::TopicSetting& setting : log::topic_setting_list(context.options.topic_defaults)) {
    const std::string name(log::broker_setting_name(setting.name));
    if (name == setting.name) continue;
    const bool number = setting.type == log::SettingType::kInt || setting.type == log::SettingType::kLong;
    settings.push_back(
        {name, setting.default_value, number ? ConfigType::kLong : ConfigType::kString, false, setting.documentation});
  }
  std::ranges::sort(settings, {}, &BrokerSetting::name);
  std::vector<DescribeConfigsResponse::Config> configs;
  for (BrokerSetting& setting : settings) {
    auto& config = configs.emplace_back();
    config.name = setting.name;
    config.value = setting.value;
    config.read_only = true;
    config.is_default = !setting.from_configuration;
    config.config_source =
        setting.from_configuration ? ConfigSource::kStaticBrokerConfig : ConfigSource::kDefaultConfig;
    config.config_type = setting.type;
    if (detail.documentation) config.documentation = setting.documentation;
    if (detail.synonyms) config.synonyms.push_back({config.name, config.value, config.config_source});
  }
  return configs;
}

}  // namespace pinflow::kafka_door
