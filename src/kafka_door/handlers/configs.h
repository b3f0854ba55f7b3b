#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/configs.h"

// Settings of topics, which clients may change, and of the broker, which stand in its configuration.
namespace pinflow::kafka_door {

void describe_configs(Context& context, Call call, kafka_wire::DescribeConfigsRequest request, Reply reply);
void alter_configs(Context& context, Call call, kafka_wire::AlterConfigsRequest request, Reply reply);
void incremental_alter_configs(Context& context, Call call, kafka_wire::IncrementalAlterConfigsRequest request,
                               Reply reply);

struct ConfigDetail {
  bool synonyms = false;
  bool documentation = false;
};
// All settings of a topic that has set these itself.
std::vector<kafka_wire::DescribeConfigsResponse::Config> describe_topic_configs(const Context& context,
                                                                                const log::TopicConfigs& set,
                                                                                ConfigDetail detail);

}  // namespace pinflow::kafka_door
