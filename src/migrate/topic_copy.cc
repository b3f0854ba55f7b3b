#include "migrate/topic_copy.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "migrate/internal/partition_copy.h"
#include "migrate/internal/record_reader.h"

namespace pinflow::migrate {

namespace {

using log::TopicConfigs;

// What a topic must not do while it is copied: drop records for their age, number or key, or change their times. A batch of the copy may be
// framed larger than the one that came.
constexpr std::int64_t kRoomForFrames = 1 << 20;

void put(TopicConfigs& configs, const std::string& name, std::string value) {
  const auto found = std::ranges::find(configs, name, &TopicConfigs::value_type::first);
  if (found == configs.end()) {
    configs.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

std::int64_t most_bytes(const log::Topic& topic, const log::TopicDefaults& defaults) {
  const auto settings = log::read_topic_settings(topic.configs, defaults);
  return settings ? settings->max_message_bytes : defaults.max_message_bytes;
}

// The settings that the topic has where it is copied from, those of its log's defaults too that decide what is kept: another log has others.
TopicConfigs own_settings(const log::Topic& topic, const log::TopicDefaults& defaults) {
  TopicConfigs own = {{"retention.ms", std::to_string(defaults.retention_ms)},
                      {"retention.bytes", std::to_string(defaults.retention_bytes)},
                      {"max.message.bytes", std::to_string(defaults.max_message_bytes)}};
  for (const auto& [name, value] : topic.configs) {
    if (!log::is_own_setting(name)) put(own, name, value);
  }
  return own;
}

TopicConfigs copying_settings(const log::Topic& topic, const log::TopicDefaults& defaults) {
  return {{"cleanup.policy", "delete"},
          {"retention.ms", "-1"},
          {"retention.bytes", "-1"},
          {"message.timestamp.type", "CreateTime"},
          {"max.message.bytes", std::to_string(std::min<std::int64_t>(most_bytes(topic, defaults) + kRoomForFrames,
                                                                      std::numeric_limits<std::int32_t>::max()))}};
}

// Settings that somebody gave the topic there stay, but for those that the copying sets.
TopicConfigs final_settings(const log::Topic& there, const log::Topic& topic, const log::TopicDefaults& defaults) {
  TopicConfigs settings = there.configs;
  for (const auto& [name, value] : copying_settings(topic, defaults)) {
    std::erase_if(settings, [&](const auto& setting) { return setting.first == name; });
  }
  for (const auto& [name, value] : own_settings(topic, defaults)) put(settings, name, value);
  return settings;
}

Result<void> check_last_record(log::Log& from, log::Log& to, const log::TopicPartition& partition,
                               const PartitionPlan& plan) {
  const log::Offset last = plan.to.end + -1;
  if (plan.to.end == plan.to.begin || last < plan.from.begin) return {};
  TRY_ASSIGN(const auto theirs, internal::read_record(to, partition, last));
  TRY_ASSIGN(const auto ours, internal::read_record(from, partition, last));
  const bool same =
      ours && theirs ? internal::same_record(*ours, *theirs) : !ours && (!theirs || internal::is_filler(*theirs));
  if (same) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("topic {} is there already with records of its own: partition {} has another record at offset "
                  "{}. Delete that topic, or choose another topics.prefix here or there",
                  partition.topic, partition.partition, last));
}

Result<PartitionPlan> plan_partition(log::Log& from, log::Log& to, const log::TopicPartition& partition, bool there) {
  PartitionPlan plan{.partition = partition.partition, .from = {}, .to = {}};
  TRY_ASSIGN(plan.from, from.offsets(partition));
  if (!there) return plan;
  TRY_ASSIGN(plan.to, to.offsets(partition));
  if (plan.to.end > plan.from.end) {
    return fail(
        ErrorCode::kConflict,
        fmt::format(
            "topic {} is there already with records of its own: partition {} ends at offset {}, here at {}. "
            "Where it was migrated before, it has gone on there, and nothing is left to do; else delete that topic",
            partition.topic, partition.partition, plan.to.end, plan.from.end));
  }
  TRY(check_last_record(from, to, partition, plan));
  return plan;
}

}  // namespace

std::int64_t TopicPlan::records() const {
  std::int64_t all = 0;
  for (const PartitionPlan& partition : partitions) all += partition.from.end - partition.from.begin;
  return all;
}

std::int64_t TopicPlan::left() const {
  std::int64_t all = 0;
  for (const PartitionPlan& partition : partitions)
    all += partition.from.end - std::max(partition.from.begin, partition.to.end);
  return all;
}

Result<TopicPlan> plan_topic(log::Log& from, log::Log& to, const std::string& topic) {
  TopicPlan plan;
  TRY_ASSIGN(plan.topic, from.topic(topic));
  auto there = to.topic(topic);
  if (!there && there.error().code != ErrorCode::kNotFound) return fail(there.error());
  if (there) plan.there = *there;
  if (plan.there && plan.there->partitions > plan.topic.partitions) {
    return fail(
        ErrorCode::kConflict,
        fmt::format("topic {} is there already with {} partitions, and has {} here: keys would go elsewhere than "
                    "their records of before. Delete it there; partitions can be added once it is copied",
                    topic, plan.there->partitions, plan.topic.partitions));
  }
  for (std::int32_t i = 0; i < plan.topic.partitions; ++i) {
    const bool is_there = plan.there && i < plan.there->partitions;
    TRY_ASSIGN(const auto partition, plan_partition(from, to, {topic, log::PartitionId(i)}, is_there));
    plan.partitions.push_back(partition);
  }
  return plan;
}

Result<log::Topic> prepare_topic(log::Log& to, const TopicPlan& plan, const TopicCopyOptions& options) {
  const std::string& name = plan.topic.name;
  if (!plan.there) {
    return to.create_topic({name, plan.topic.partitions, copying_settings(plan.topic, options.defaults)});
  }
  log::Topic topic = *plan.there;
  if (topic.partitions < plan.topic.partitions) {
    TRY_ASSIGN(topic, to.add_partitions(name, plan.topic.partitions));
  }
  if (plan.left() == 0) return topic;
  TopicConfigs settings = topic.configs;
  for (const auto& [setting, value] : copying_settings(plan.topic, options.defaults)) put(settings, setting, value);
  return to.alter_topic(name, std::move(settings));
}

Result<CopiedTopic> copy_topic(log::Log& from, log::Log& to, const TopicPlan& plan, const TopicCopyOptions& options,
                               const CopyProgress& progress, std::stop_token stop) {
  // Copying and comparing take a step an offset each.
  const std::int64_t total = plan.records();
  std::mutex mutex;  // Of the four that follow.
  std::int64_t done = total - plan.left();
  CopiedTopic copied;
  Result<void> outcome;
  std::stop_source ended;  // By an error of a partition, too.
  const std::stop_callback stopping(stop, [&] { ended.request_stop(); });

  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < plan.partitions.size(); at = next++) {
      internal::PartitionCopy copy(from, to, plan.topic.name, plan.partitions[at], options, [&](std::int64_t more) {
        const std::scoped_lock lock(mutex);
        done = std::min(done + more, total);
        if (progress) progress(done, total);
      });
      auto result = copy.copy(ended.get_token());
      if (result) result = copy.compare(ended.get_token());
      const std::scoped_lock lock(mutex);
      copied.records += copy.totals().records;
      copied.fillers += copy.totals().fillers;
      copied.compared += copy.totals().compared;
      if (result) continue;
      // What others say once they are told to stop is not the cause.
      if (outcome) outcome = std::move(result);
      ended.request_stop();
      return;
    }
  };
  {
    std::vector<std::jthread> workers;
    const std::size_t count = std::min<std::size_t>(options.partitions_at_once, plan.partitions.size());
    for (std::size_t i = 0; i < count; ++i) workers.emplace_back(work);
  }
  if (!outcome) return fail(std::move(outcome.error()));
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the copying was stopped");

  TRY_ASSIGN(const log::Topic there, to.topic(plan.topic.name));
  TopicConfigs settings = final_settings(there, plan.topic, options.defaults);
  std::ranges::sort(settings);
  TopicConfigs now = there.configs;
  std::ranges::sort(now);
  if (settings != now) TRY(to.alter_topic(plan.topic.name, std::move(settings)));
  return copied;
}

}  // namespace pinflow::migrate
