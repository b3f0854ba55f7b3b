#include "kafka_wire/messages/produce_fetch.h"

#include "kafka_wire/internal/codec_impl.h"
#include "kafka_wire/internal/produce_fetch_tables.h"

namespace pinflow::kafka_wire {

INSTANTIATE_API(ProduceRequest)
INSTANTIATE_API(InitProducerIdRequest)
INSTANTIATE_API(FetchRequest)
INSTANTIATE_API(ListOffsetsRequest)
INSTANTIATE_API(OffsetForLeaderEpochRequest)

}  // namespace pinflow::kafka_wire
