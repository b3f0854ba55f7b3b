#pragma once

#include "kafka_wire/messages/configs.h"
#include "kafka_wire/messages/groups.h"
#include "kafka_wire/messages/produce_fetch.h"
#include "kafka_wire/messages/session.h"
#include "kafka_wire/messages/topics.h"

namespace pinflow::kafka_wire {

// Calls visit.operator()<Request>() for each request struct, in the order of api keys.
template <class Visit>
void for_each_request(Visit&& visit) {
  [&]<class... R>() {
    (visit.template operator()<R>(), ...);
  }.template
  operator()<ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest,
             FindCoordinatorRequest, JoinGroupRequest, HeartbeatRequest, LeaveGroupRequest, SyncGroupRequest,
             DescribeGroupsRequest, ListGroupsRequest, SaslHandshakeRequest, ApiVersionsRequest, CreateTopicsRequest,
             DeleteTopicsRequest, DeleteRecordsRequest, InitProducerIdRequest, OffsetForLeaderEpochRequest,
             DescribeConfigsRequest, AlterConfigsRequest, SaslAuthenticateRequest, CreatePartitionsRequest,
             DeleteGroupsRequest, IncrementalAlterConfigsRequest, OffsetDeleteRequest, DescribeClusterRequest>();
}

}  // namespace pinflow::kafka_wire
