#include <algorithm>

#include <fmt/format.h>

#include "doors/denied.h"
#include "doors/kafka_rest_v3/body_reader.h"
#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"
#include "log/change_topic.h"

namespace pinflow::doors::kafka_rest_v3 {

using access::may;
using access::Right;

namespace {

constexpr std::string_view kDynamicTopic = "DYNAMIC_TOPIC_CONFIG";
constexpr std::string_view kStaticBroker = "STATIC_BROKER_CONFIG";
constexpr std::string_view kDefault = "DEFAULT_CONFIG";

struct Synonym {
  std::string_view name;
  std::string_view value;
  std::string_view source;
};

// What settings of topics and of brokers have in common, behind begin() and what names their owner.
void write_setting(ResourceWriter& out, std::string_view name, bool read_only, const std::vector<Synonym>& synonyms) {
  const Synonym& counts = synonyms.front();  // The first is the one in force.
  out.text("name", name).text("value", counts.value).flag("is_default", counts.source == kDefault);
  out.flag("is_read_only", read_only).flag("is_sensitive", false).text("source", counts.source);
  out.json().key("synonyms").begin_array();
  for (const Synonym& each : synonyms) {
    out.json().begin_object();
    out.text("name", each.name).text("value", each.value).text("source", each.source).end();
  }
  out.json().end_array();
  out.end();
}

void write_topic_config(ResourceWriter& out, const log::Topic& topic, const log::TopicSetting& setting) {
  out.begin("KafkaTopicConfig", fmt::format("/topics/{}/configs/{}", topic.name, setting.name),
            fmt::format("/topic={}/config={}", topic.name, setting.name));
  out.text("topic_name", topic.name);
  std::vector<Synonym> synonyms;
  if (const auto* own = log::find_setting(topic.configs, setting.name))
    synonyms.push_back({setting.name, *own, kDynamicTopic});
  synonyms.push_back({log::broker_setting_name(setting.name), setting.default_value, kDefault});
  write_setting(out, setting.name, false, synonyms);
}

struct BrokerSetting {
  std::string name;
  std::string value;
  std::string_view source;
};

// What tools ask for, in Kafka's names, with the values that hold here; sorted by name.
std::vector<BrokerSetting> broker_settings(const KafkaRestV3Options& options) {
  std::vector<BrokerSetting> settings = {
      {"advertised.listeners", fmt::format("PLAINTEXT://{}:{}", options.broker_host, options.broker_port),
       kStaticBroker},
      {"broker.id", std::to_string(kBroker), kStaticBroker},
      {"compression.type", "producer", kDefault},
      {"default.replication.factor", "1", kDefault},
      {"delete.topic.enable", "true", kDefault},
      {"min.insync.replicas", "1", kDefault},
      {"num.partitions", std::to_string(options.default_partitions), kStaticBroker},
  };
  for (const auto& setting : log::topic_setting_list(options.topic_defaults)) {
    const auto name = log::broker_setting_name(setting.name);
    if (name != setting.name) settings.push_back({std::string(name), setting.default_value, kDefault});
  }
  std::ranges::sort(settings, {}, &BrokerSetting::name);
  return settings;
}

void write_cluster_config(ResourceWriter& out, const BrokerSetting& setting) {
  out.begin("KafkaClusterConfig", fmt::format("/broker-configs/{}", setting.name),
            fmt::format("/broker-config={}", setting.name));
  out.text("config_type", "BROKER");
  write_setting(out, setting.name, true, {{setting.name, setting.value, setting.source}});
}

void write_broker_config(ResourceWriter& out, const BrokerSetting& setting) {
  out.begin("KafkaBrokerConfig", fmt::format("/brokers/{}/configs/{}", kBroker, setting.name),
            fmt::format("/broker={}/config={}", kBroker, setting.name));
  out.number("broker_id", kBroker);
  write_setting(out, setting.name, true, {{setting.name, setting.value, setting.source}});
}

}  // namespace

void KafkaRestV3Door::all_topic_configs(http::Request request, Respond respond) {
  auto out = writer(request);
  out.begin_list("KafkaTopicConfigList", "/topics/-/configs");
  const auto settings = log::topic_setting_list(options_.topic_defaults);
  for (const auto& topic : log_.topics()) {
    if (!sees(request, topic)) continue;
    for (const auto& setting : settings) write_topic_config(out, topic, setting);
  }
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::topic_configs(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  auto out = writer(request);
  out.begin_list("KafkaTopicConfigList", fmt::format("/topics/{}/configs", topic->name));
  for (const auto& setting : log::topic_setting_list(options_.topic_defaults)) write_topic_config(out, *topic, setting);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::topic_config(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto& name = request.parameter("name");
  const auto settings = log::topic_setting_list(options_.topic_defaults);
  const auto setting = std::ranges::find(settings, name, &log::TopicSetting::name);
  if (setting == settings.end())
    return respond(answer(not_found(fmt::format("Config {} of topic {}", name, topic->name))));
  auto out = writer(request);
  write_topic_config(out, *topic, *setting);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::set_topic_config(http::Request request, Respond respond) {
  auto value = read_config_value(request.body);
  if (!value) return respond(answer(value.error()));
  std::vector<log::SettingChange> changes;
  changes.push_back({request.parameter("name"), std::move(*value), log::SettingOperation::kSet});
  change_settings(std::move(request), std::move(respond), std::move(changes), false);
}

void KafkaRestV3Door::reset_topic_config(http::Request request, Respond respond) {
  std::vector<log::SettingChange> changes;
  changes.push_back({request.parameter("name"), std::nullopt, log::SettingOperation::kDelete});
  change_settings(std::move(request), std::move(respond), std::move(changes), false);
}

void KafkaRestV3Door::alter_topic_configs(http::Request request, Respond respond) {
  auto body = read_alter_configs(request.body);
  if (!body) return respond(answer(body.error()));
  change_settings(std::move(request), std::move(respond), std::move(body->changes), body->validate_only);
}

// All of them or none.
void KafkaRestV3Door::change_settings(http::Request request, Respond respond, std::vector<log::SettingChange> changes,
                                      bool validate_only) {
  if (!may_administer(request, request.parameter("topic_name"), respond)) return;
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto changed = log::changed_settings(topic->configs, changes, options_.topic_defaults);
  if (!changed) return respond(answer(broker_says(changed.error().message)));
  if (const auto settings = log::read_topic_settings(*changed, options_.topic_defaults); !settings)
    return respond(answer(broker_says(settings.error().message)));
  if (validate_only) return respond(no_content());
  auto job = [&log = log_, &defaults = options_.topic_defaults, name = topic->name, changes = std::move(changes)](
                 const std::stop_token&, Respond respond) {
    const auto altered = log::change_topic(
        log, name, [&](const log::Topic& now) { return log::changed_settings(now.configs, changes, defaults); });
    respond(altered ? no_content() : answer(refusal_of(altered.error())));
  };
  worker_.run(std::move(respond), std::move(job), answer(busy()));
}

void KafkaRestV3Door::cluster_configs(http::Request request, Respond respond) {
  auto out = writer(request);
  out.begin_list("KafkaClusterConfigList", "/broker-configs");
  for (const auto& setting : broker_settings(options_)) write_cluster_config(out, setting);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::cluster_config(http::Request request, Respond respond) {
  const auto& name = request.parameter("name");
  const auto settings = broker_settings(options_);
  const auto setting = std::ranges::find(settings, name, &BrokerSetting::name);
  if (setting == settings.end()) return respond(answer(not_found(fmt::format("Config {} of brokers", name))));
  auto out = writer(request);
  write_cluster_config(out, *setting);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::broker_configs(http::Request request, Respond respond) {
  if (!known_broker(request, respond)) return;
  auto out = writer(request);
  out.begin_list("KafkaBrokerConfigList", fmt::format("/brokers/{}/configs", kBroker));
  for (const auto& setting : broker_settings(options_)) write_broker_config(out, setting);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::broker_config(http::Request request, Respond respond) {
  if (!known_broker(request, respond)) return;
  const auto& name = request.parameter("name");
  const auto settings = broker_settings(options_);
  const auto setting = std::ranges::find(settings, name, &BrokerSetting::name);
  if (setting == settings.end())
    return respond(answer(not_found(fmt::format("Config {} of broker {}", name, kBroker))));
  auto out = writer(request);
  write_broker_config(out, *setting);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::refuse_broker_change(http::Request request, Respond respond) {
  if (!may(request.caller, Right::kAdmin)) return respond(denied(request.caller, Right::kAdmin, ""));
  respond(
      answer(broker_says("Settings of the broker stand in pinflow's configuration (pinflow config print) and count "
                         "from its next start.")));
}

}  // namespace pinflow::doors::kafka_rest_v3
