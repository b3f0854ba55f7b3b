#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "doors/denied.h"
#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"
#include "kafka_wire/consumer_protocol.h"

namespace pinflow::doors::kafka_rest_v3 {

using access::may;
using access::Right;

namespace {

std::string_view state_name(groups::GroupState state) {
  switch (state) {
    case groups::GroupState::kEmpty:
      return "EMPTY";
    case groups::GroupState::kPreparingRebalance:
      return "PREPARING_REBALANCE";
    case groups::GroupState::kCompletingRebalance:
      return "COMPLETING_REBALANCE";
    case groups::GroupState::kStable:
      return "STABLE";
    case groups::GroupState::kDead:
      return "DEAD";
  }
  return "UNKNOWN";
}

std::string group_path(std::string_view group) {
  return fmt::format("/consumer-groups/{}", url_encode(group));
}
std::string group_crn(std::string_view group) {
  return fmt::format("/consumer-group={}", url_encode(group));
}
std::string consumer_path(std::string_view group, std::string_view consumer) {
  return fmt::format("{}/consumers/{}", group_path(group), url_encode(consumer));
}
std::string lag_path(std::string_view group, const log::TopicPartition& partition) {
  return fmt::format("{}/lags/{}/partitions/{}", group_path(group), partition.topic, partition.partition);
}

// The partitions of a member, as far as its assignment is one of Kafka's consumers.
std::vector<log::TopicPartition> partitions_of(const groups::DescribedMember& member) {
  std::vector<log::TopicPartition> partitions;
  const auto assignment = kafka_wire::read_assignment(member.assignment);
  if (!assignment) return partitions;
  for (const auto& topic : assignment->assigned_partitions)
    for (const auto partition : topic.partitions) partitions.push_back({topic.topic, log::PartitionId(partition)});
  std::ranges::sort(partitions);
  return partitions;
}

void write_group(ResourceWriter& out, const groups::DescribedGroup& group) {
  const auto path = group_path(group.group);
  out.begin("KafkaConsumerGroup", path, group_crn(group.group)).text("consumer_group_id", group.group);
  out.flag("is_simple", group.protocol_type.empty()).text("partition_assignor", group.protocol);
  out.text("state", state_name(group.state)).text("type", "CLASSIC");
  out.related("coordinator", fmt::format("/brokers/{}", kBroker)).related("consumers", path + "/consumers");
  out.related("lag_summary", path + "/lag-summary").end();
}

void write_consumer(ResourceWriter& out, std::string_view group, const groups::DescribedMember& member) {
  const auto path = consumer_path(group, member.member_id);
  out.begin("KafkaConsumer", path, fmt::format("{}/consumer={}", group_crn(group), url_encode(member.member_id)));
  out.text("consumer_group_id", group).text("consumer_id", member.member_id);
  member.instance_id ? out.text("instance_id", *member.instance_id) : out.null("instance_id");
  out.text("client_id", member.client_id).related("assignments", path + "/assignments").end();
}

void write_assignment(ResourceWriter& out, std::string_view group, std::string_view consumer,
                      const log::TopicPartition& partition) {
  out.begin("KafkaConsumerAssignment",
            fmt::format("{}/assignments/{}/partitions/{}", consumer_path(group, consumer), partition.topic,
                        partition.partition),
            fmt::format("{}/consumer={}/assignment={}/partition={}", group_crn(group), url_encode(consumer),
                        partition.topic, partition.partition));
  out.text("consumer_group_id", group).text("consumer_id", consumer).text("topic_name", partition.topic);
  out.number("partition_id", partition.partition.value());
  out.related("partition", fmt::format("/topics/{}/partitions/{}", partition.topic, partition.partition));
  out.related("lag", lag_path(group, partition)).end();
}

// How far a group is in one partition, and who reads it.
struct Lag {
  log::TopicPartition partition;
  std::int64_t current = 0;
  std::int64_t end = 0;
  std::string consumer_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::int64_t lag() const { return std::max<std::int64_t>(end - current, 0); }
};

// Of each partition that the group has a position in, in order of topic and partition. Asks the log.
std::vector<Lag> lags_of(log::Log& log, groups::GroupCoordinator& coordinator, const groups::DescribedGroup& group) {
  std::map<log::TopicPartition, const groups::DescribedMember*> owners;
  for (const auto& member : group.members)
    for (auto& partition : partitions_of(member)) owners.emplace(std::move(partition), &member);
  std::vector<Lag> lags;
  for (const auto& position : coordinator.committed(group.group)) {
    const auto range = log.offsets(position.partition);
    if (!range) continue;  // The topic is gone.
    Lag& lag = lags.emplace_back();
    lag.partition = position.partition;
    lag.current = position.offset.value();
    lag.end = range->end.value();
    const auto owner = owners.find(position.partition);
    if (owner == owners.end()) continue;
    lag.consumer_id = owner->second->member_id;
    lag.instance_id = owner->second->instance_id;
    lag.client_id = owner->second->client_id;
  }
  return lags;
}

void write_lag(ResourceWriter& out, std::string_view group, const Lag& lag) {
  out.begin("KafkaConsumerLag", lag_path(group, lag.partition),
            fmt::format("{}/lag={}/partition={}", group_crn(group), lag.partition.topic, lag.partition.partition));
  out.text("consumer_group_id", group).text("topic_name", lag.partition.topic);
  out.number("partition_id", lag.partition.partition.value()).text("consumer_id", lag.consumer_id);
  lag.instance_id ? out.text("instance_id", *lag.instance_id) : out.null("instance_id");
  out.text("client_id", lag.client_id).number("current_offset", lag.current).number("log_end_offset", lag.end);
  out.number("lag", lag.lag()).end();
}

void write_summary(ResourceWriter& out, std::string_view group, const std::vector<Lag>& lags) {
  const auto& worst = *std::ranges::max_element(lags, {}, &Lag::lag);
  std::int64_t total = 0;
  for (const Lag& lag : lags) total += lag.lag();
  out.begin("KafkaConsumerGroupLagSummary", group_path(group) + "/lag-summary", group_crn(group) + "/lag-summary");
  out.text("consumer_group_id", group).text("max_lag_consumer_id", worst.consumer_id);
  worst.instance_id ? out.text("max_lag_instance_id", *worst.instance_id) : out.null("max_lag_instance_id");
  out.text("max_lag_client_id", worst.client_id).text("max_lag_topic_name", worst.partition.topic);
  out.number("max_lag_partition_id", worst.partition.partition.value());
  out.number("max_lag", worst.lag()).number("total_lag", total);
  out.related("max_lag_consumer", consumer_path(group, worst.consumer_id));
  out.related("max_lag_partition",
              fmt::format("/topics/{}/partitions/{}", worst.partition.topic, worst.partition.partition));
  out.end();
}

bool may_see_groups(const http::Request& request, http::Responder& respond) {
  if (may(request.caller, Right::kQuery) || may(request.caller, Right::kConsume)) return true;
  respond(denied(request.caller, Right::kQuery, ""));
  return false;
}

const groups::DescribedMember* find_member(const groups::DescribedGroup& group, std::string_view id) {
  const auto found = std::ranges::find(group.members, id, &groups::DescribedMember::member_id);
  return found == group.members.end() ? nullptr : &*found;
}

// The member that a request names. Null: there is none, which is answered.
const groups::DescribedMember* known_member(const groups::DescribedGroup& group, const http::Request& request,
                                            http::Responder& respond) {
  const auto& id = request.parameter("consumer_id");
  const auto* const member = find_member(group, id);
  if (member == nullptr) respond(answer(not_found(fmt::format("Consumer {} of group {}", id, group.group))));
  return member;
}

std::optional<log::TopicPartition> partition_of(const http::Request& request) {
  const auto& text = request.parameter("partition_id");
  std::int32_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return log::TopicPartition{request.parameter("topic_name"), log::PartitionId(number)};
}

}  // namespace

void KafkaRestV3Door::list_groups(http::Request request, Respond respond) {
  if (!may_see_groups(request, respond)) return;
  auto out = writer(request);
  out.begin_list("KafkaConsumerGroupList", "/consumer-groups");
  for (const auto& group : coordinator_.list()) write_group(out, coordinator_.describe(group.group));
  out.end_list();
  respond(json(200, std::move(out).take()));
}

std::optional<groups::DescribedGroup> KafkaRestV3Door::known_group(const http::Request& request, Respond& respond) {
  if (!may_see_groups(request, respond)) return std::nullopt;
  const auto& id = request.parameter("consumer_group_id");
  auto group = coordinator_.describe(id);
  if (group.state != groups::GroupState::kDead) return group;
  respond(answer(no_group(id)));
  return std::nullopt;
}

void KafkaRestV3Door::group(http::Request request, Respond respond) {
  const auto group = known_group(request, respond);
  if (!group) return;
  auto out = writer(request);
  write_group(out, *group);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::consumers(http::Request request, Respond respond) {
  const auto group = known_group(request, respond);
  if (!group) return;
  auto out = writer(request);
  out.begin_list("KafkaConsumerList", group_path(group->group) + "/consumers");
  for (const auto& member : group->members) write_consumer(out, group->group, member);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::consumer(http::Request request, Respond respond) {
  const auto group = known_group(request, respond);
  if (!group) return;
  const auto* const member = known_member(*group, request, respond);
  if (member == nullptr) return;
  auto out = writer(request);
  write_consumer(out, group->group, *member);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::assignments(http::Request request, Respond respond) {
  const auto group = known_group(request, respond);
  if (!group) return;
  const auto* const member = known_member(*group, request, respond);
  if (member == nullptr) return;
  const std::string& id = member->member_id;
  auto out = writer(request);
  out.begin_list("KafkaConsumerAssignmentList", consumer_path(group->group, id) + "/assignments");
  for (const auto& partition : partitions_of(*member)) write_assignment(out, group->group, id, partition);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::assignment(http::Request request, Respond respond) {
  const auto group = known_group(request, respond);
  if (!group) return;
  const auto& id = request.parameter("consumer_id");
  const auto* member = find_member(*group, id);
  const auto partition = partition_of(request);
  if (member == nullptr || !partition || std::ranges::count(partitions_of(*member), *partition) == 0)
    return respond(
        answer(not_found(fmt::format("An assignment of the partition {} of topic {} to consumer {}",
                                     request.parameter("partition_id"), request.parameter("topic_name"), id))));
  auto out = writer(request);
  write_assignment(out, group->group, id, *partition);
  respond(json(200, std::move(out).take()));
}

// Asks the log about many partitions, so not on the loop. `write` gives the answer.
template <class Write>
void KafkaRestV3Door::with_lags(http::Request request, Respond respond, Write write) {
  auto group = known_group(request, respond);
  if (!group) return;
  auto job = [&log = log_, &coordinator = coordinator_, out = writer(request), group = std::move(*group),
              write = std::move(write)](const std::stop_token&, Respond respond) mutable {
    auto lags = lags_of(log, coordinator, group);
    respond(write(out, group.group, lags));
  };
  worker_.run(std::move(respond), std::move(job), answer(busy()));
}

void KafkaRestV3Door::lags(http::Request request, Respond respond) {
  with_lags(std::move(request), std::move(respond),
            [](ResourceWriter& out, const std::string& group, const std::vector<Lag>& lags) {
              out.begin_list("KafkaConsumerLagList", group_path(group) + "/lags");
              for (const Lag& lag : lags) write_lag(out, group, lag);
              out.end_list();
              return json(200, std::move(out).take());
            });
}

void KafkaRestV3Door::lag(http::Request request, Respond respond) {
  const auto partition = partition_of(request);
  if (!partition) return respond(answer(no_partition()));
  with_lags(std::move(request), std::move(respond),
            [partition = *partition](ResourceWriter& out, const std::string& group, const std::vector<Lag>& lags) {
              const auto lag = std::ranges::find(lags, partition, &Lag::partition);
              if (lag == lags.end())
                return answer(not_found(fmt::format("A position of group {} in partition {} of topic {}", group,
                                                    partition.partition, partition.topic)));
              write_lag(out, group, *lag);
              return json(200, std::move(out).take());
            });
}

void KafkaRestV3Door::lag_summary(http::Request request, Respond respond) {
  with_lags(std::move(request), std::move(respond),
            [](ResourceWriter& out, const std::string& group, const std::vector<Lag>& lags) {
              if (lags.empty()) return answer(not_found(fmt::format("A position of group {}", group)));
              write_summary(out, group, lags);
              return json(200, std::move(out).take());
            });
}

}  // namespace pinflow::doors::kafka_rest_v3
