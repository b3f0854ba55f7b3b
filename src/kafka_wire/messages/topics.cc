#include "kafka_wire/messages/topics.h"

#include "kafka_wire/internal/codec_impl.h"
#include "kafka_wire/internal/topics_tables.h"

namespace pinflow::kafka_wire {

INSTANTIATE_API(CreateTopicsRequest)
INSTANTIATE_API(DeleteTopicsRequest)
INSTANTIATE_API(CreatePartitionsRequest)
INSTANTIATE_API(DeleteRecordsRequest)

}  // namespace pinflow::kafka_wire
