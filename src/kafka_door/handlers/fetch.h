#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/produce_fetch.h"

namespace pinflow::kafka_door {

// Reading records, at once or as soon as there are enough of them. Sessions (KIP-227) are declined: each request says all it wants.
// Limits follow KIP-74: the first batch of an answer comes whole, whatever its size.
void fetch(Context& context, Call call, kafka_wire::FetchRequest request, Reply reply);

}  // namespace pinflow::kafka_door
