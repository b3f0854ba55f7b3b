#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/topics.h"

// Making, growing, trimming and deleting topics. All of them wait for the disk on the blocking thread.
namespace pinflow::kafka_door {

void create_topics(Context& context, Call call, kafka_wire::CreateTopicsRequest request, Reply reply);
void delete_topics(Context& context, Call call, kafka_wire::DeleteTopicsRequest request, Reply reply);
void create_partitions(Context& context, Call call, kafka_wire::CreatePartitionsRequest request, Reply reply);
void delete_records(Context& context, Call call, kafka_wire::DeleteRecordsRequest request, Reply reply);

}  // namespace pinflow::kafka_door
