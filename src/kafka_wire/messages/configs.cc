#include "kafka_wire/messages/configs.h"

#include "kafka_wire/internal/codec_impl.h"
#include "kafka_wire/internal/configs_tables.h"

namespace pinflow::kafka_wire {

INSTANTIATE_API(DescribeConfigsRequest)
INSTANTIATE_API(IncrementalAlterConfigsRequest)
INSTANTIATE_API(AlterConfigsRequest)

}  // namespace pinflow::kafka_wire
