#include "kafka_door/handlers/configs.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include <fmt/format.h>

#include "kafka_door/handlers/broker_configs.h"
#include "log/change_topic.h"

namespace pinflow::kafka_door {

using kafka_wire::AlterConfigsRequest;
using kafka_wire::ConfigOperation;
using kafka_wire::ConfigResourceType;
using kafka_wire::ConfigSource;
using kafka_wire::ConfigType;
using kafka_wire::DescribeConfigsRequest;
using kafka_wire::DescribeConfigsResponse;
using kafka_wire::IncrementalAlterConfigsRequest;
using kafka_wire::KafkaError;

namespace {
struct Refusal {
  KafkaError error = KafkaError::kNone;
  std::string message;
};

ConfigType type_of(log::SettingType type) {
  switch (type) {
    case log::SettingType::kBoolean:
      return ConfigType::kBoolean;
    case log::SettingType::kString:
      return ConfigType::kString;
    case log::SettingType::kInt:
      return ConfigType::kInt;
    case log::SettingType::kLong:
      return ConfigType::kLong;
    case log::SettingType::kDouble:
      return ConfigType::kDouble;
    case log::SettingType::kList:
      return ConfigType::kList;
  }
  return ConfigType::kUnknown;
}

// Drops what was not asked for; no list of keys means all, and so does an empty one (old clients send that).
void keep_asked(std::vector<DescribeConfigsResponse::Config>& configs, const DescribeConfigsRequest::Resource& asked) {
  if (!asked.configuration_keys || asked.configuration_keys->empty()) return;
  std::erase_if(configs,
                [&](const auto& config) { return std::ranges::count(*asked.configuration_keys, config.name) == 0; });
}

DescribeConfigsResponse::Resource describe(Context& context, const Call& call, const DescribeConfigsRequest& request,
                                           const DescribeConfigsRequest::Resource& asked) {
  DescribeConfigsResponse::Resource answered;
  answered.resource_type = asked.resource_type;
  answered.resource_name = asked.resource_name;
  const ConfigDetail detail{request.include_synonyms, request.include_documentation};
  if (asked.resource_type == ConfigResourceType::kTopic) {
    const auto topic = context.log.topic(asked.resource_name);
    if (!topic) {
      answered.error_code = KafkaError::kUnknownTopicOrPartition;
      answered.error_message = "there is no such topic";
      return answered;
    }
    answered.configs = describe_topic_configs(context, topic->configs, detail);
  } else if (asked.resource_type == ConfigResourceType::kBroker && asked.resource_name == std::to_string(kBrokerId)) {
    answered.configs = describe_broker_configs(context, call, detail);
  } else if (asked.resource_type != ConfigResourceType::kBroker || !asked.resource_name.empty()) {
    answered.error_code = KafkaError::kInvalidRequest;
    answered.error_message = fmt::format("only topics and the broker {} have settings here", kBrokerId);
  }
  keep_asked(answered.configs, asked);
  return answered;
}

// What becomes of the settings of a topic that clients see.
using MakeConfigs = std::function<Result<log::TopicConfigs>(log::TopicConfigs)>;

// Stores what `make` makes of a topic's settings, or only checks it.
Refusal apply(Context& context, const std::string& name, bool validate_only, const MakeConfigs& make) {
  const auto make_all = [&](const log::Topic& topic) -> Result<log::TopicConfigs> {
    const auto is_own = [](const auto& entry) { return log::is_own_setting(entry.first); };
    log::TopicConfigs seen = topic.configs;
    std::erase_if(seen, is_own);
    TRY_ASSIGN(log::TopicConfigs configs, make(std::move(seen)));
    std::ranges::copy_if(topic.configs, std::back_inserter(configs), is_own);
    TRY(log::read_topic_settings(configs, context.options.topic_defaults));
    return configs;
  };
  const auto done = [&]() -> Result<void> {
    if (validate_only) {
      TRY_ASSIGN(const log::Topic topic, context.log.topic(name));
      TRY(make_all(topic));
    } else {
      TRY(log::change_topic(context.log, name, make_all));
    }
    return {};
  }();
  if (done) return {};
  if (done.error().code == ErrorCode::kNotFound)
    return {KafkaError::kUnknownTopicOrPartition, "there is no such topic"};
  const bool wrong = done.error().code == ErrorCode::kInvalid;
  const bool twice = done.error().code == ErrorCode::kConflict;
  return {wrong   ? KafkaError::kInvalidConfig
          : twice ? KafkaError::kInvalidRequest
                  : KafkaError::kKafkaStorageError,
          done.error().message};
}

Refusal check_resource(ConfigResourceType type, bool twice) {
  if (twice) return {KafkaError::kInvalidRequest, "the resource is there twice in one request"};
  if (type == ConfigResourceType::kTopic) return {};
  return {KafkaError::kInvalidRequest,
          "only the settings of topics can be changed by clients; those of the broker stand in "
          "its configuration"};
}

Refusal replace(Context& context, const AlterConfigsRequest::Resource& asked, bool validate_only) {
  return apply(context, asked.resource_name, validate_only,
               [&](const log::TopicConfigs& /*replaced*/) -> Result<log::TopicConfigs> {
                 log::TopicConfigs configs;
                 for (const auto& config : asked.configs) {
                   if (!config.value)
                     return fail(ErrorCode::kInvalid, fmt::format("the setting {} has no value", config.name));
                   if (log::is_own_setting(config.name))
                     return fail(ErrorCode::kInvalid, "settings of pinflow's own are not for clients");
                   configs.emplace_back(config.name, *config.value);
                 }
                 return configs;
               });
}

std::optional<log::SettingOperation> operation_of(ConfigOperation operation) {
  switch (operation) {
    case ConfigOperation::kSet:
      return log::SettingOperation::kSet;
    case ConfigOperation::kDelete:
      return log::SettingOperation::kDelete;
    case ConfigOperation::kAppend:
      return log::SettingOperation::kAppend;
    case ConfigOperation::kSubtract:
      return log::SettingOperation::kSubtract;
  }
  return std::nullopt;  // From the wire anything may come.
}

Refusal change(Context& context, const IncrementalAlterConfigsRequest::Resource& asked, bool validate_only) {
  if (!context.log.topic(asked.resource_name)) return {KafkaError::kUnknownTopicOrPartition, "there is no such topic"};
  std::vector<log::SettingChange> changes;
  for (const auto& config : asked.configs) {
    const auto operation = operation_of(config.operation);
    if (!operation) return {KafkaError::kInvalidRequest, "an operation that is not known"};
    if (*operation == log::SettingOperation::kSet && !config.value)
      return {KafkaError::kInvalidRequest, fmt::format("the setting {} has no value", config.name)};
    changes.push_back({config.name, config.value, *operation});
  }
  return apply(context, asked.resource_name, validate_only, [&](log::TopicConfigs configs) {
    return log::changed_settings(std::move(configs), changes, context.options.topic_defaults);
  });
}

// Both requests that change settings, resource by resource.
template <class Request, class Change>
void alter(Context& context, Request request, Reply reply, Change change_resource) {
  run_blocking(context, std::move(reply), [&context, request = std::move(request), change_resource](Reply later) {
    typename Request::Response response;
    for (const auto& asked : request.resources) {
      const auto same = [&](const auto& other) {
        return other.resource_type == asked.resource_type && other.resource_name == asked.resource_name;
      };
      Refusal refusal = check_resource(asked.resource_type, std::ranges::count_if(request.resources, same) > 1);
      if (refusal.error == KafkaError::kNone) refusal = change_resource(context, asked, request.validate_only);
      auto& answered = response.resources.emplace_back();
      answered.resource_type = asked.resource_type;
      answered.resource_name = asked.resource_name;
      answered.error_code = refusal.error;
      if (refusal.error != KafkaError::kNone) answered.error_message = std::move(refusal.message);
    }
    later.send(response);
  });
}
}  // namespace

std::vector<DescribeConfigsResponse::Config> describe_topic_configs(const Context& context,
                                                                    const log::TopicConfigs& set, ConfigDetail detail) {
  std::vector<DescribeConfigsResponse::Config> configs;
  for (const log::TopicSetting& setting : log::topic_setting_list(context.options.topic_defaults)) {
    const std::string* const own = log::find_setting(set, setting.name);
    auto& config = configs.emplace_back();
    config.name = setting.name;
    config.value = own != nullptr ? *own : setting.default_value;
    config.is_default = own == nullptr;
    config.config_source = own != nullptr ? ConfigSource::kDynamicTopicConfig : ConfigSource::kDefaultConfig;
    config.config_type = type_of(setting.type);
    if (detail.documentation) config.documentation = setting.documentation;
    if (!detail.synonyms) continue;
    if (own != nullptr) config.synonyms.push_back({config.name, *own, ConfigSource::kDynamicTopicConfig});
    config.synonyms.push_back(
        {std::string(log::broker_setting_name(setting.name)), setting.default_value, ConfigSource::kDefaultConfig});
  }
  return configs;
}

void describe_configs(Context& context, Call call, DescribeConfigsRequest request, Reply reply) {
  DescribeConfigsResponse response;
  for (const auto& asked : request.resources) response.resources.push_back(describe(context, call, request, asked));
  reply.send(response);
}

void alter_configs(Context& context, Call /*call*/, AlterConfigsRequest request, Reply reply) {
  alter(context, std::move(request), std::move(reply), replace);
}

void incremental_alter_configs(Context& context, Call /*call*/, IncrementalAlterConfigsRequest request, Reply reply) {
  alter(context, std::move(request), std::move(reply), change);
}

}  // namespace pinflow::kafka_door
