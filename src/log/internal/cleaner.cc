#include "log/internal/cleaner.h"

#include <algorithm>

#include "log/internal/compaction.h"
#include "log/internal/retention.h"

namespace pinflow::log {
namespace {

bool cleans_files(const TopicSettings& settings) {
  return settings.compact || (settings.delete_old && (settings.retention_ms >= 0 || settings.retention_bytes >= 0));
}

}  // namespace

Cleaner::Cleaner(Options options) : options_(options), random_(entropy_seed()) {
  if (options_.period.count() > 0) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Cleaner::stop() {
  stopping_.request_stop();
  thread_.request_stop();
  wakeup_.notify();
  if (thread_.joinable()) thread_.join();
}

void Cleaner::run(const std::stop_token& stop) {
  while (true) {
    const std::stop_token armed = wakeup_.arm();
    if (stop.stop_requested()) return;
    clean_now();
    if (stop.stop_requested()) return;
    Wakeup::wait(options_.period, armed);
  }
}

void Cleaner::clean_now() {
  const std::scoped_lock lock(round_mutex_);
  for (const OpenTopicPtr& topic : options_.topics.open_topics()) {
    if (stopping_.stop_requested()) return;
    clean_topic(topic);
  }
}

void Cleaner::clean_topic(const OpenTopicPtr& topic) {
  for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
    // Whoever deletes the topic waits for this, so that no file is made in a folder that is being removed.
    const std::scoped_lock lock(topic->upkeep->mutex);
    if (stopping_.stop_requested() || topic->upkeep->deleted) return;
    const std::string name = fmt::format("{}-{}", topic->topic.name, i);
    tell(name, clean_partition(*topic, *topic->partitions[i], name));
  }
}

void Cleaner::tell(const std::string& name, const Result<void>& result) {
  if (result || result.error().code == ErrorCode::kCancelled || result.error().code == ErrorCode::kNotFound) {
    if (result) told_.erase(name);
    return;
  }
  std::string& last = told_[name];
  if (last == result.error().message) return;
  last = result.error().message;
  options_.logger.warning("a partition cannot be cleaned", {{"partition", name}, {"cause", last}});
}

Result<std::vector<SegmentFacts>> Cleaner::facts_of(const PartitionLog& partition, bool with_times) const {
  std::vector<SegmentFacts> facts;
  for (SegmentInfo& segment : partition.closed_segments()) {
    WallTime modified = options_.clock.now();
    if (with_times) {
      TRY_ASSIGN(const disk::Entry entry, options_.disk.describe(segment.path));
      modified = entry.modified;
    }
    facts.push_back({segment.base, segment.end, segment.size, segment.max_timestamp, false, std::move(segment.path),
                     modified, modified});
    facts.back().begun = newest_record(facts.back());
  }
  if (auto open = partition.open_segment())
    facts.push_back({open->segment.base, open->segment.end, open->segment.size, open->segment.max_timestamp, true,
                     std::move(open->segment.path), open->since, options_.clock.now()});
  return facts;
}

Result<void> Cleaner::clean_partition(const OpenTopic& topic, PartitionLog& partition, const std::string& name) {
  const auto settings = topic.settings->get();
  const bool cleans = cleans_files(*settings);
  const WallTime now = options_.clock.now();
  if (!partition.check_writable()) return {};  // Fenced: a person looks at it first. That was told.
  TRY_ASSIGN(std::vector<SegmentFacts> facts, facts_of(partition, cleans));
  if (!facts.empty() && facts.back().last && due_to_roll(facts.back(), facts, *settings, now)) {
    TRY(options_.committer.between_commits([&] { return partition.roll(); }));
    TRY_ASSIGN(facts, facts_of(partition, cleans));
  }
  if (const auto start = retained_start(facts, *settings, now); start && *start > partition.range().begin) {
    TRY(partition.advance_log_start(*start));
    options_.logger.info("old records are gone", {{"partition", name}, {"log_start", *start}});
  }
  TRY(partition.drop_old_segments());
  if (settings->compact)
    return compact(topic, partition, facts.empty() ? disk::Path() : facts.front().path.parent_path(), *settings);
  return {};
}

Result<void> Cleaner::compact(const OpenTopic& topic, PartitionLog& partition, const disk::Path& folder,
                              const TopicSettings& settings) {
  if (folder.empty()) return {};
  CompactionOptions options{options_.disk,
                            random_,
                            settings,
                            options_.clock.now(),
                            options_.most_keys,
                            [&] { return stopping_.stop_requested() || topic.upkeep->deleted; },
                            [&](Offset base, Offset end) { return partition.rewrite_path(base, end); },
                            [&](Offset base, Offset end) { return partition.replace_segments(base, end); }};
  Offset compacted_to = load_compacted_to(options_.disk, folder);
  while (true) {
    TRY_ASSIGN(const std::vector<SegmentFacts> facts, facts_of(partition, true));
    const auto plan = plan_compaction(facts, compacted_to, settings, options.now);
    if (!plan) return {};
    TRY_ASSIGN(const CompactionOutcome outcome, compact_segments(*plan, options));
    compacted_to = outcome.compacted_to;
    TRY(store_compacted_to(options_.disk, folder, compacted_to));
    options_.logger.info("a partition is compacted", {{"topic", topic.topic.name},
                                                      {"folder", folder.string()},
                                                      {"compacted_to", compacted_to},
                                                      {"bytes_before", outcome.bytes_before},
                                                      {"bytes_after", outcome.bytes_after}});
  }
}

}  // namespace pinflow::log
