#include <algorithm>
#include <cstring>

#include "base/wakeup.h"
#include "kafka_cluster/internal/admin.h"
#include "kafka_cluster/internal/positions.h"

namespace pinflow::kafka_cluster {
namespace {

using AlterHandle =
    std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, DestroyBy<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

// The answer for the one group that was asked for.
Result<const rd_kafka_topic_partition_list_t*> offsets_of(const rd_kafka_group_result_t** groups, std::size_t count,
                                                          std::string_view context) {
  if (count != 1) return fail(ErrorCode::kUnavailable, fmt::format("{}: no answer for it", context));
  if (const rd_kafka_error_t* const error = rd_kafka_group_result_error(groups[0]); error != nullptr)
    return fail(error_of(rd_kafka_error_code(error), context, rd_kafka_error_string(error)));
  return rd_kafka_group_result_partitions(groups[0]);
}

// How long a coordinator that moves is left alone before it is asked again.
constexpr int kCoordinatorMs = 100;

bool is_coordinator_moving(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
         error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

}  // namespace

PartitionListHandle list_of(const std::vector<log::GroupOffset>& offsets) {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const log::GroupOffset& offset : offsets) {
    auto* const entry = rd_kafka_topic_partition_list_add(list.get(), offset.partition.topic.c_str(),
                                                          offset.partition.partition.value());
    entry->offset = offset.offset.value();
    if (offset.metadata.empty()) continue;
    // The list frees it with its own free().
    entry->metadata = ::strdup(offset.metadata.c_str());
    entry->metadata_size = offset.metadata.size();
  }
  return list;
}

Result<void> first_error(const rd_kafka_topic_partition_list_t& list, std::string_view context) {
  for (int i = 0; i < list.cnt; ++i) {
    if (list.elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(error_of(list.elems[i].err, context));
  }
  return {};
}

Result<std::vector<log::GroupOffset>> Admin::committed_offsets(const std::string& group,
                                                               const std::vector<log::Topic>& topics) {
  const std::string context = fmt::format("asking for the positions of group {}", group);
  const PartitionListHandle named(rd_kafka_topic_partition_list_new(1));
  for (const log::Topic& topic : topics) {
    for (std::int32_t p = 0; p < topic.partitions; ++p)
      rd_kafka_topic_partition_list_add(named.get(), topic.name.c_str(), p);
  }
  if (named->cnt == 0) return std::vector<log::GroupOffset>();
  // As a consumer of the group, which joins nothing: this librdkafka's question of an admin ends the process where the coordinator of the group moves.
  TRY_ASSIGN(const auto client,
             Client::open(RD_KAFKA_CONSUMER, {{"group.id", group}, {"enable.auto.commit", "false"}}, {}, cluster_));
  const SteadyTime deadline = cluster_.clock.steady_now() + cluster_.options.call_timeout;
  while (const auto error = rd_kafka_committed(client->handle(), named.get(), timeout_ms())) {
    if (!is_coordinator_moving(error) || cluster_.clock.steady_now() >= deadline) return fail(failed(error, context));
    rd_kafka_poll(client->handle(), kCoordinatorMs);  // Returns early where the client has something to tell.
  }
  std::vector<log::GroupOffset> offsets;
  for (int i = 0; i < named->cnt; ++i) {
    const auto& entry = named->elems[i];
    if (entry.offset < 0 || entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    auto& offset = offsets.emplace_back();
    offset.partition = {entry.topic, log::PartitionId(entry.partition)};
    offset.offset = log::Offset(entry.offset);
    if (entry.metadata != nullptr)
      offset.metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
  }
  return offsets;
}

// A cluster that has just started, or lost a broker, takes no positions for a moment.
Result<void> Admin::commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets) {
  const SteadyTime deadline = cluster_.clock.steady_now() + cluster_.options.call_timeout;
  while (true) {
    bool moving = false;
    const auto committed = commit_once(group, offsets, moving);
    if (!moving || cluster_.clock.steady_now() >= deadline) return committed;
    Wakeup::wait(std::chrono::milliseconds(kCoordinatorMs), {});
  }
}

Result<void> Admin::commit_once(const std::string& group, const std::vector<log::GroupOffset>& offsets, bool& moving) {
  const std::string context = fmt::format("committing positions of group {}", group);
  const PartitionListHandle list = list_of(offsets);
  const AlterHandle wanted(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* all[] = {wanted.get()};
  TRY_ASSIGN(const EventHandle event,
             call(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, context, [&](auto* options, auto* answers) {
               rd_kafka_AlterConsumerGroupOffsets(client_->handle(), all, 1, options, answers);
             }));
  std::size_t count = 0;
  const auto** const groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event.get()), &count);
  if (count == 1) moving = is_coordinator_moving(rd_kafka_error_code(rd_kafka_group_result_error(groups[0])));
  TRY_ASSIGN(const auto* const answered, offsets_of(groups, count, context));
  if (answered == nullptr) return {};
  moving = std::any_of(answered->elems, answered->elems + answered->cnt,
                       [](const auto& entry) { return is_coordinator_moving(entry.err); });
  return first_error(*answered, context);
}

}  // namespace pinflow::kafka_cluster
