#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/groups.h"

// Consumer groups: handlers/groups.cc has who coordinates, membership and administration, handlers/group_offsets.cc positions.
namespace pinflow::kafka_door {

void find_coordinator(Context& context, Call call, kafka_wire::FindCoordinatorRequest request, Reply reply);
void join_group(Context& context, Call call, kafka_wire::JoinGroupRequest request, Reply reply);
void sync_group(Context& context, Call call, kafka_wire::SyncGroupRequest request, Reply reply);
void heartbeat(Context& context, Call call, kafka_wire::HeartbeatRequest request, Reply reply);
void leave_group(Context& context, Call call, kafka_wire::LeaveGroupRequest request, Reply reply);
void describe_groups(Context& context, Call call, kafka_wire::DescribeGroupsRequest request, Reply reply);
void list_groups(Context& context, Call call, kafka_wire::ListGroupsRequest request, Reply reply);
void delete_groups(Context& context, Call call, kafka_wire::DeleteGroupsRequest request, Reply reply);

void offset_commit(Context& context, Call call, kafka_wire::OffsetCommitRequest request, Reply reply);
void offset_fetch(Context& context, Call call, kafka_wire::OffsetFetchRequest request, Reply reply);
void offset_delete(Context& context, Call call, kafka_wire::OffsetDeleteRequest request, Reply reply);

}  // namespace pinflow::kafka_door
