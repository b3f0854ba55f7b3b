#pragma once

#include <vector>

#include "base/result.h"
#include "kafka_cluster/internal/handles.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

// Positions of a group as librdkafka takes them.
PartitionListHandle list_of(const std::vector<log::GroupOffset>& offsets);
// The first partition's error in an answer.
Result<void> first_error(const rd_kafka_topic_partition_list_t& list, std::string_view context);

}  // namespace pinflow::kafka_cluster
