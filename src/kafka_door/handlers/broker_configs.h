#pragma once

#include <vector>

#include "kafka_door/handlers/configs.h"

namespace pinflow::kafka_door {

// What DescribeConfigs says about the broker: what tools ask for, in Kafka's names, with the values that hold here. None can be
// changed by a client.
std::vector<kafka_wire::DescribeConfigsResponse::Config> describe_broker_configs(const Context& context,
                                                                                 const Call& call, ConfigDetail detail);

}  // namespace pinflow::kafka_door
