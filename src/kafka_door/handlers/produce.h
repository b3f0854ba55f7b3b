#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/produce_fetch.h"

// Storing records.
namespace pinflow::kafka_door {

void produce(Context& context, Call call, kafka_wire::ProduceRequest request, Reply reply);
void init_producer_id(Context& context, Call call, kafka_wire::InitProducerIdRequest request, Reply reply);

}  // namespace pinflow::kafka_door
