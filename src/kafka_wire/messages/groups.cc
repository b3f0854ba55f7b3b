#include "kafka_wire/messages/groups.h"

#include "kafka_wire/internal/codec_impl.h"
#include "kafka_wire/internal/groups_tables.h"

namespace pinflow::kafka_wire {

INSTANTIATE_API(FindCoordinatorRequest)
INSTANTIATE_API(JoinGroupRequest)
INSTANTIATE_API(SyncGroupRequest)
INSTANTIATE_API(HeartbeatRequest)
INSTANTIATE_API(LeaveGroupRequest)
INSTANTIATE_API(OffsetCommitRequest)
INSTANTIATE_API(OffsetFetchRequest)
INSTANTIATE_API(OffsetDeleteRequest)
INSTANTIATE_API(DescribeGroupsRequest)
INSTANTIATE_API(ListGroupsRequest)
INSTANTIATE_API(DeleteGroupsRequest)

}  // namespace pinflow::kafka_wire
