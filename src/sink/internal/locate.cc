// Where a partition goes on: the part of Worker that asks the object store.
#include <algorithm>

#include <fmt/format.h>

#include "sink/internal/worker.h"
#include "sink/object_bytes.h"
#include "sink/object_name.h"

namespace pinflow::sink::internal {

void Worker::locate_all() {
  hints_.reset();
  const SteadyTime now = clock_.steady_now();
  for (auto& [name, partition] : partitions_) {
    if (partition.position || !partition.open.empty() || !partition.backoff.ready(now)) continue;
    auto next = locate(partition);
    if (!next) {
      failed(partition, std::move(next).error().with_context("finding where the objects end"));
      continue;
    }
    partition.position = *next;
    partition.error.clear();
  }
}

Result<log::Offset> Worker::locate(Partition& partition) {
  TRY(claim_topic(partition.name.topic, partition.topic_id));
  TRY_ASSIGN(auto plan, PlanBook(store_, partition.name).last());
  log::Offset next;
  if (!plan) {
    TRY_ASSIGN(const auto hinted, hint(partition.name));
    TRY_ASSIGN(next, end_of(partition.name, hinted));
    TRY_ASSIGN(next, check_against_log(partition.name, next));
    if (!plans_) return next;
    TRY(check_unplanned(partition.name));
  }
  // Once planned, always planned: the objects alone do not tell any more.
  auto planned = std::make_unique<PlannedPartition>(options_, store_, log_, zone_, *partitioner_, partition.name);
  TRY(planned->locate(std::move(plan), next));
  TRY_ASSIGN(next, check_against_log(partition.name, planned->next()));
  planned->pass(next);
  partition.planned = std::move(planned);
  return partition.planned->done();
}

// Without a plan nothing tells which records the objects of other folders than "partition=N" hold.
Result<void> Worker::check_unplanned(const log::TopicPartition& partition) {
  TRY_ASSIGN(const auto listed, store_.list(topic_folder(partition.topic, options_.names)));
  const std::string own = object_folder(partition, options_.names);
  for (const objects::ObjectInfo& object : listed) {
    const auto name = parse_object_name(object.name, options_.names);
    if (!name || name->partition != partition || object.name.starts_with(own)) continue;
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} is of another sink, or its plans below pinflow/sink/plans/ are gone, and nothing tells how far "
                    "it came; move the objects of {}/{} away or choose another folder for topics",
                    object.name, partition.topic, partition.partition));
  }
  return {};
}

// The layout names topics, not their ids: a topic deleted and made again would go on behind the old one's
// objects. A small object of our own remembers whose they are.
Result<void> Worker::claim_topic(const std::string& topic, const Uuid& id) {
  if (const auto claimed = claimed_.find(topic); claimed != claimed_.end() && claimed->second == id) return {};
  const std::string name = identity_name(topic);
  auto owner = store_.get(name);
  if (!owner && owner.error().code == ErrorCode::kNotFound) {
    TRY(drop_hints(topic));
    const auto put = store_.put_new(name, id.to_string() + "\n");
    if (!put && put.error().code != ErrorCode::kConflict) return fail(put.error());
    owner = store_.get(name);
  }
  if (!owner) return fail(std::move(owner).error());
  if (*owner != id.to_string() + "\n") {
    return fail(ErrorCode::kConflict, fmt::format("the objects below topics/{} are of an earlier topic of "
                                                  "that name; move or remove that folder, the plans below {}{}/ and "
                                                  "the object {}, then the new topic is sunk from its start",
                                                  topic, kPlansFolder, topic, name));
  }
  claimed_.insert_or_assign(topic, id);
  return {};
}

// A store without our mark is new to us: offsets committed for another store say nothing about it.
Result<void> Worker::drop_hints(const std::string& topic) {
  TRY_ASSIGN(auto committed, log_.committed_offsets(options_.group));
  std::erase_if(committed, [&](const log::GroupOffset& offset) { return offset.partition.topic != topic; });
  for (log::GroupOffset& offset : committed) offset.offset = log::Offset(0);
  if (!committed.empty()) TRY(log_.commit_offsets(options_.group, committed));
  hints_.reset();
  return {};
}

Result<log::Offset> Worker::hint(const log::TopicPartition& partition) {
  if (!hints_) {
    TRY_ASSIGN(hints_, log_.committed_offsets(options_.group));
  }
  const auto found = std::ranges::find(*hints_, partition, &log::GroupOffset::partition);
  return found == hints_->end() ? log::Offset(0) : found->offset;
}

// The offset behind the last object. Objects far below the hint are not listed; without any object (a life
// cycle rule removed them) the hint stands.
Result<log::Offset> Worker::end_of(const log::TopicPartition& partition, log::Offset hint) {
  const log::Offset near(std::max<std::int64_t>(0, hint.value() - 2 * options_.flush_size));
  TRY_ASSIGN(auto end, end_of_objects(partition, near));
  if (!end && near > log::Offset(0)) {
    TRY_ASSIGN(end, end_of_objects(partition, log::Offset(0)));
  }
  if (!end) return hint;
  if (*end < hint) {
    logger_.warning("Objects that were sunk are missing at the end; they are made again",
                    {{"partition", object_folder(partition)}, {"from", *end}, {"to", hint}});
  }
  return *end;
}

// Objects without plans have the default names; those of the settings' names count too, as another tool may have put them.
Result<std::optional<log::Offset>> Worker::end_of_objects(const log::TopicPartition& partition, log::Offset from) {
  TRY_ASSIGN(auto end, end_of_objects(partition, from, {}));
  if (options_.names == NameForm()) return end;
  TRY_ASSIGN(const auto other, end_of_objects(partition, log::Offset(0), options_.names));
  return std::max(end, other);
}

Result<std::optional<log::Offset>> Worker::end_of_objects(const log::TopicPartition& partition, log::Offset from,
                                                          const NameForm& form) {
  const std::string after = from > log::Offset(0) ? object_name(partition, from + -1, form) : std::string();
  TRY_ASSIGN(const auto listed, store_.list(object_folder(partition, form), after));
  std::optional<ObjectName> last;
  std::string last_name;
  for (const objects::ObjectInfo& object : listed) {
    auto name = parse_object_name(object.name, form);
    // Others are not ours; people put things next to data. The order of names is not that of offsets in each form.
    if (!name || name->partition != partition || (last && name->first < last->first)) continue;
    last = std::move(name);
    last_name = object.name;
  }
  if (!last) return std::optional<log::Offset>();
  TRY_ASSIGN(auto bytes, store_.get(last_name));
  TRY_ASSIGN(const auto text, object_lines(*last, std::move(bytes)));
  if (text.empty() || text.back() != '\n') {
    return fail(ErrorCode::kCorrupt,
                fmt::format("the object {} does not end with a whole line; restore it or remove it, then it is made "
                            "again",
                            last_name));
  }
  return last->first + std::ranges::count(text, '\n');
}

Result<log::Offset> Worker::check_against_log(const log::TopicPartition& partition, log::Offset next) {
  TRY_ASSIGN(const auto range, log_.offsets(partition));
  if (next > range.end) {
    return fail(
        ErrorCode::kCorrupt,
        fmt::format("the objects of {}/{} reach to offset {}, the log only to {}: the log has lost records, or the "
                    "objects are of another log; move the objects from offset {} on away",
                    partition.topic, partition.partition, next, range.end, range.end));
  }
  if (next < range.begin) {
    logger_.warning("Records left the log before they were sunk",
                    {{"partition", object_folder(partition)}, {"from", next}, {"to", range.begin}});
  }
  return std::max(next, range.begin);
}

}  // namespace pinflow::sink::internal
