#pragma once

#include <string_view>
#include <vector>

#include "kafka_door/handlers/configs.h"

namespace pinflow::kafka_door {

// What DescribeConfigs says about the broker: what tools ask for, in Kafka's names, with the values that hold here. None can be
// changed by a client.
std::vector<kafka_wire::DescribeConfigsResponse::Config> describe_broker_configs(const Context& context,
                                                                                 const Call& call, ConfigDetail detail);

// The name that the default of a topic's setting has as a setting of the broker.
std::string_view broker_name_of(std::string_view topic_setting);

}  // namespace pinflow::kafka_door
