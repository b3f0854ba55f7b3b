#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/produce_fetch.h"

// Finding one's place in a partition.
namespace pinflow::kafka_door {

void list_offsets(Context& context, Call call, kafka_wire::ListOffsetsRequest request, Reply reply);
void offset_for_leader_epoch(Context& context, Call call, kafka_wire::OffsetForLeaderEpochRequest request, Reply reply);

// Whether a client's idea of the leader epoch fits (KIP-320); -1: it has none. kUnknownTopicOrPartition where there is no such
// partition.
kafka_wire::KafkaError check_leader_epoch(log::BrokerLog& log, const log::TopicPartition& partition,
                                          std::int32_t epoch);

// What a failed read is to a client.
kafka_wire::KafkaError read_error(const Error& error);

}  // namespace pinflow::kafka_door
