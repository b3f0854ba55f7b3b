#include "kafka_door/handlers/groups.h"

#include <algorithm>
#include <mutex>

#include "groups/coordinator.h"
#include "kafka_door/handlers/session.h"

namespace pinflow::kafka_door {

using kafka_wire::KafkaError;

namespace {
constexpr std::int8_t kGroupKey = 0;
constexpr std::int8_t kTransactionKey = 1;
constexpr std::string_view kClassic = "classic";  // As opposed to the groups of KIP-848.

// READ 3, DELETE 6, DESCRIBE 8 (KIP-430).
constexpr std::int32_t kGroupOperations = 0b1'0100'1000;

KafkaError to_kafka(groups::GroupError error) {
  return static_cast<KafkaError>(static_cast<std::int16_t>(error));
}

bool equal_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Whether a filter lets it through; an empty one does.
bool passes(const std::vector<std::string>& filter, std::string_view value) {
  return filter.empty() ||
         std::ranges::any_of(filter, [&](const auto& name) { return equal_but_for_case(name, value); });
}

kafka_wire::FindCoordinatorResponse::Coordinator coordinator_of(const Context& context, const Call& call,
                                                                std::int8_t key_type, std::string key) {
  kafka_wire::FindCoordinatorResponse::Coordinator found{std::move(key), -1, "", -1, KafkaError::kNone, std::nullopt};
  if (key_type == kGroupKey) {
    found.node_id = kBrokerId;
    found.host = advertised_host(context, call);
    found.port = advertised_port(context, call);
  } else if (key_type == kTransactionKey) {
    // Of the errors that fit, one that no client answers by asking again for ever.
    found.error_code = KafkaError::kTransactionalIdAuthorizationFailed;
    found.error_message = "transactions are not offered; take transactional.id out of the client's settings";
  } else {
    found.error_code = KafkaError::kInvalidRequest;
    found.error_message = "there are coordinators of consumer groups only";
  }
  return found;
}

kafka_wire::DescribeGroupsResponse::Group describe(Context& context, const std::string& name, bool operations,
                                                   std::int16_t version) {
  groups::DescribedGroup from = context.coordinator.describe(name);
  kafka_wire::DescribeGroupsResponse::Group group;
  group.group_id = name;
  group.group_state = to_string(from.state);
  group.protocol_type = std::move(from.protocol_type);
  group.protocol_data = std::move(from.protocol);
  if (operations) group.authorized_operations = kGroupOperations;
  if (from.state == groups::GroupState::kDead && version >= 6) {
    group.error_code = KafkaError::kGroupIdNotFound;
    group.error_message = fmt::format("group {} does not exist", name);
  }
  for (groups::DescribedMember& member : from.members) {
    group.members.push_back({std::move(member.member_id), std::move(member.instance_id), std::move(member.client_id),
                             std::move(member.client_host), std::move(member.metadata), std::move(member.assignment)});
  }
  return group;
}

// The answers to several deletions that end on other threads; the last one sends them.
class Deletions final {
 public:
  Deletions(Reply reply, std::vector<std::string> names) : reply_(std::move(reply)), left_(names.size()) {
    for (std::string& name : names) response_.results.push_back({std::move(name), KafkaError::kNone});
  }
  void done(std::size_t index, KafkaError error) {
    {
      const std::scoped_lock lock(mutex_);
      response_.results[index].error_code = error;
      if (--left_ > 0) return;
    }
    reply_.send(response_);
  }

 private:
  Reply reply_;
  kafka_wire::DeleteGroupsResponse response_;
  std::mutex mutex_;
  std::size_t left_;
};

}  // namespace

void find_coordinator(Context& context, Call call, kafka_wire::FindCoordinatorRequest request, Reply reply) {
  kafka_wire::FindCoordinatorResponse response;
  if (reply.version() >= 4) {
    for (std::string& key : request.coordinator_keys)
      response.coordinators.push_back(coordinator_of(context, call, request.key_type, std::move(key)));
    return reply.send(response);
  }
  auto found = coordinator_of(context, call, request.key_type, {});
  response.error_code = found.error_code;
  response.error_message = std::move(found.error_message);
  response.node_id = found.node_id;
  response.host = std::move(found.host);
  response.port = found.port;
  reply.send(response);
}

void join_group(Context& context, Call call, kafka_wire::JoinGroupRequest request, Reply reply) {
  groups::JoinRequest join;
  join.group = std::move(request.group_id);
  join.member_id = std::move(request.member_id);
  join.instance_id = std::move(request.group_instance_id);
  join.client_id = call.client_id();
  join.client_host = "/" + call.connection->client_host;  // As Java prints an address, which Kafka's tools expect.
  join.protocol_type = std::move(request.protocol_type);
  for (auto& protocol : request.protocols)
    join.protocols.push_back({std::move(protocol.name), std::move(protocol.metadata)});
  join.session_timeout = std::chrono::milliseconds(request.session_timeout_ms);
  join.rebalance_timeout =
      std::chrono::milliseconds(reply.version() == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms);
  join.needs_member_id = reply.version() >= 4;
  join.can_skip_assignment = reply.version() >= 9;
  context.coordinator.join(std::move(join), [reply = std::move(reply)](groups::JoinReply joined) mutable {
    kafka_wire::JoinGroupResponse response;
    response.error_code = to_kafka(joined.error);
    response.generation_id = joined.generation;
    response.protocol_type = std::move(joined.protocol_type);
    response.protocol_name = std::move(joined.protocol);
    response.leader = std::move(joined.leader);
    response.skip_assignment = joined.skip_assignment;
    response.member_id = std::move(joined.member_id);
    for (groups::JoinedMember& member : joined.members)
      response.members.push_back(
          {std::move(member.member_id), std::move(member.instance_id), std::move(member.metadata)});
    reply.send(response);
  });
}

void sync_group(Context& context, Call /*call*/, kafka_wire::SyncGroupRequest request, Reply reply) {
  groups::SyncRequest sync{std::move(request.group_id),
                           request.generation_id,
                           std::move(request.member_id),
                           std::move(request.group_instance_id),
                           std::move(request.protocol_type),
                           std::move(request.protocol_name),
                           {}};
  for (auto& part : request.assignments)
    sync.assignments.push_back({std::move(part.member_id), std::move(part.assignment)});
  context.coordinator.sync(std::move(sync), [reply = std::move(reply)](groups::SyncReply synced) mutable {
    kafka_wire::SyncGroupResponse response;
    response.error_code = to_kafka(synced.error);
    response.protocol_type = std::move(synced.protocol_type);
    response.protocol_name = std::move(synced.protocol);
    response.assignment = std::move(synced.assignment);
    reply.send(response);
  });
}

void heartbeat(Context& context, Call /*call*/, kafka_wire::HeartbeatRequest request, Reply reply) {
  kafka_wire::HeartbeatResponse response;
  response.error_code =
      to_kafka(context.coordinator.heartbeat({std::move(request.group_id), request.generation_id,
                                              std::move(request.member_id), std::move(request.group_instance_id)}));
  reply.send(response);
}

void leave_group(Context& context, Call /*call*/, kafka_wire::LeaveGroupRequest request, Reply reply) {
  groups::LeaveRequest leave{std::move(request.group_id), {}};
  const bool one = reply.version() < 3;
  if (one) leave.members.push_back({std::move(request.member_id), std::nullopt});
  for (const auto& member : request.members) leave.members.push_back({member.member_id, member.group_instance_id});
  const groups::LeaveReply left = context.coordinator.leave(leave);
  kafka_wire::LeaveGroupResponse response;
  response.error_code = to_kafka(one && left.error == groups::GroupError::kNone ? left.members.at(0) : left.error);
  for (std::size_t i = 0; !one && i < left.members.size(); ++i) {
    response.members.push_back({std::move(request.members[i].member_id),
                                std::move(request.members[i].group_instance_id), to_kafka(left.members[i])});
  }
  reply.send(response);
}

void describe_groups(Context& context, Call /*call*/, kafka_wire::DescribeGroupsRequest request, Reply reply) {
  kafka_wire::DescribeGroupsResponse response;
  for (const std::string& name : request.groups)
    response.groups.push_back(describe(context, name, request.include_authorized_operations, reply.version()));
  reply.send(response);
}

void list_groups(Context& context, Call /*call*/, kafka_wire::ListGroupsRequest request, Reply reply) {
  kafka_wire::ListGroupsResponse response;
  if (passes(request.types_filter, kClassic)) {
    for (groups::ListedGroup& group : context.coordinator.list()) {
      const std::string state(to_string(group.state));
      if (!passes(request.states_filter, state)) continue;
      response.groups.push_back({std::move(group.group), std::move(group.protocol_type), state, std::string(kClassic)});
    }
  }
  reply.send(response);
}

void delete_groups(Context& context, Call /*call*/, kafka_wire::DeleteGroupsRequest request, Reply reply) {
  if (request.groups_names.empty()) return reply.send(kafka_wire::DeleteGroupsResponse{});
  // Shared by the deletions, of which the last one answers.
  const auto deletions = std::make_shared<Deletions>(std::move(reply), request.groups_names);
  for (std::size_t i = 0; i < request.groups_names.size(); ++i) {
    context.coordinator.delete_group(request.groups_names[i],
                                     [deletions, i](groups::GroupError error) { deletions->done(i, to_kafka(error)); });
  }
}

}  // namespace pinflow::kafka_door
