#include "sink/internal/worker.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "sink/object_name.h"

namespace pinflow::sink::internal {

namespace {
constexpr std::size_t kFetchBytes = std::size_t{4} << 20;
constexpr std::size_t kGatherBytes = std::size_t{1} << 20;  // While objects are open anyway, wake up for no less.
constexpr std::chrono::seconds kBetweenWarnings{10};
constexpr std::size_t kPlannedAtOnce = 4'096;  // Objects of one plan.

// One object open at a time, put one after another, can be told from the last object alone; all else is planned, also names of another
// form: readers, who do not know our settings, find them in the plans.
bool needs_plans(const SinkOptions& options) {
  return options.names != NameForm() || options.partitioner.kind != PartitionerKind::kDefault ||
         options.flush_size == 1 || options.format != Format::kJson || options.compression != Compression::kNone ||
         options.rotate_record_interval || options.rotate_schedule_interval;
}
}  // namespace

Worker::Worker(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger,
               log::Share* share)
    : options_(std::move(options)),
      plans_(needs_plans(options_)),
      filter_(*TopicFilter::make(options_.topics, options_.topics_regex)),
      zone_(*TimeZone::load(options_.partitioner.timezone)),
      partitioner_(*Partitioner::make(options_.partitioner)),
      log_(log),
      store_(store),
      clock_(clock),
      logger_(logger),
      share_(share),
      log_backoff_(options_.least_backoff, options_.most_backoff),
      hint_backoff_(options_.least_backoff, options_.most_backoff) {
  CHECK(options_.flush_size > 0, "an object holds at least one record");
}

void Worker::work(const Targets& targets) {
  if (clock_.steady_now() >= discover_at_) discover();
  locate_all();
  put_due(targets);
  relieve_memory();
  save_hints();
}

void Worker::hurry() {
  discover_at_ = SteadyTime::min();
  log_backoff_.succeeded();
  for (auto& [name, partition] : partitions_) partition.backoff.succeeded();
}

void Worker::discover() {
  discover_at_ = clock_.steady_now() + options_.discovery_interval;
  std::vector<log::Topic> topics = log_.topics();
  std::erase_if(topics, [&](const log::Topic& topic) { return !filter_.accepts(topic.name); });
  Partitions found;
  for (auto& [name, topic_id] : our_partitions(topics)) {
    const auto known = partitions_.find(name);
    if (known != partitions_.end() && known->second.topic_id == topic_id) {
      found.insert(partitions_.extract(known));
    } else {
      found.emplace(name,
                    Partition{name, topic_id, {}, {}, {}, false, {options_.least_backoff, options_.most_backoff}, {}});
    }
  }
  for (auto& [name, partition] : partitions_) {
    const auto topic = std::ranges::find(topics, name.topic, &log::Topic::name);
    let_go(partition, topic == topics.end() || topic->id != partition.topic_id);
  }
  partitions_ = std::move(found);
  if (share_ != nullptr) share_->settled(assigned_.version);
}

std::vector<std::pair<log::TopicPartition, Uuid>> Worker::our_partitions(const std::vector<log::Topic>& topics) {
  if (share_ != nullptr) look_at_share(topics);
  std::vector<std::pair<log::TopicPartition, Uuid>> ours;
  for (const log::Topic& topic : topics) {
    for (std::int32_t id = 0; id < topic.partitions; ++id) {
      const log::TopicPartition name{topic.name, log::PartitionId(id)};
      if (share_ == nullptr || std::ranges::binary_search(assigned_.partitions, name))
        ours.emplace_back(name, topic.id);
    }
  }
  return ours;
}

void Worker::look_at_share(const std::vector<log::Topic>& topics) {
  std::vector<std::string> names;
  for (const log::Topic& topic : topics) names.push_back(topic.name);
  if (names != subscribed_) {
    if (const auto subscribed = share_->subscribe(names); !subscribed) {
      totals_.last_error = subscribed.error().message;
      warn("The sink cannot subscribe to its topics and tries again", options_.group, totals_.last_error);
    } else {
      subscribed_ = std::move(names);
    }
  }
  assigned_ = share_->assignment();
}

// A partition that goes to another process is dropped with what is open: that one reads it again from the end of the objects. Of a topic
// that is gone nobody can, so it is put now.
void Worker::let_go(Partition& partition, bool topic_is_gone) {
  unsaved_hints_.erase(partition.name);
  if (!topic_is_gone) return;
  if (partition.planned) partition.planned->close_all();
  if (!partition.open.empty() || partition.planned) put(partition);
  claimed_.erase(partition.name.topic);
  unsaved_hints_.erase(partition.name);
}

bool Worker::full(const Partition& partition) const {
  return partition.open.records() >= options_.flush_size || partition.open.text().size() >= options_.max_object.count();
}

bool Worker::due(const Partition& partition, SteadyTime now) const {
  return !partition.open.empty() &&
         (partition.must_put || full(partition) || now >= partition.open.opened() + options_.rotate_interval);
}

bool Worker::fetchable(const Partition& partition) const {
  return partition.position && !partition.must_put && !full(partition) &&
         !(partition.planned && partition.planned->must_put()) && partition.backoff.ready(clock_.steady_now());
}

std::size_t Worker::held_bytes(const Partition& partition) {
  return partition.planned ? partition.planned->memory() : partition.open.text().size();
}

std::size_t Worker::open_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, partition] : partitions_) bytes += held_bytes(partition);
  return bytes;
}

// When something is to be done though no record comes; not before now.
SteadyTime Worker::next_event() const {
  const SteadyTime now = clock_.steady_now();
  SteadyTime next = discover_at_;
  if (!log_backoff_.ready(now)) next = std::min(next, log_backoff_.retry_at());
  for (const auto& [name, partition] : partitions_) {
    if (partition.planned) {
      const PlannedPartition& planned = *partition.planned;
      const SteadyTime at = planned.must_put() ? now : planned.due_at(now, clock_.now());
      next = std::min(next, partition.backoff.ready(now) ? at : std::max(at, partition.backoff.retry_at()));
      if (!partition.backoff.ready(now)) next = std::min(next, partition.backoff.retry_at());
      continue;
    }
    const bool located_and_empty = partition.position && partition.open.empty();
    if (located_and_empty && partition.backoff.ready(now)) continue;
    SteadyTime at = partition.backoff.retry_at();
    if (!partition.open.empty() && !due(partition, now))
      at = std::max(at, partition.open.opened() + options_.rotate_interval);
    next = std::min(next, at);
  }
  return std::max(next, now);
}

void Worker::fetch(const Targets& targets, const std::stop_token& wake) {
  log::FetchRequest request{.positions = {}, .max_bytes = kFetchBytes, .min_bytes = 1};
  for (const auto& [name, partition] : partitions_) {
    if (!fetchable(partition)) continue;
    request.positions.push_back({name, partition.planned        ? partition.planned->next()
                                       : partition.open.empty() ? *partition.position
                                                                : partition.open.next()});
    if (held_bytes(partition) > 0 && targets.empty()) request.min_bytes = kGatherBytes;
  }
  const SteadyTime now = clock_.steady_now();
  request.max_wait = std::chrono::ceil<std::chrono::milliseconds>(next_event() - now);
  request.max_wait = std::max(request.max_wait, std::chrono::milliseconds::zero());
  if (request.positions.empty() || !log_backoff_.ready(now) || open_bytes() >= options_.max_memory.count()) {
    Wakeup::wait(request.max_wait, wake);
    return;
  }
  auto fetched = log_.fetch(request, wake);
  if (!fetched) {
    log_backoff_.failed(now);
    totals_.last_error = fetched.error().message;
    warn("The sink cannot read the log and tries again", "all", fetched.error().message);
    return;
  }
  log_backoff_.succeeded();
  for (const log::FetchedPartition& partition : *fetched) absorb(partition);
}

void Worker::absorb(const log::FetchedPartition& fetched) {
  const auto found = partitions_.find(fetched.partition);
  if (found == partitions_.end()) return;
  Partition& partition = found->second;
  if (fetched.error) {
    // The place may be wrong (retention went past it) or the topic gone: both are looked up anew.
    if (partition.planned) {
      partition.planned->close_all();
      if (!partition.planned->must_put()) forget_place(partition);
    } else if (partition.open.empty()) {
      partition.position.reset();
    }
    partition.must_put = !partition.open.empty();
    discover_at_ = SteadyTime::min();
    return failed(partition, *fetched.error);
  }
  if (partition.planned) return absorb_planned(partition, fetched);
  const SteadyTime now = clock_.steady_now();
  for (const log::StoredRecord& record : fetched.records) {
    if (record.offset < (partition.open.empty() ? *partition.position : partition.open.next())) continue;
    partition.must_put = !partition.open.takes(record.offset);
    if ((partition.must_put || full(partition)) && !put(partition)) return;  // The rest is fetched again.
    partition.open.add(record, now);
  }
  pass_gap(partition, fetched.next);
  partition.backoff.succeeded();
  partition.error.clear();
}

void Worker::absorb_planned(Partition& partition, const log::FetchedPartition& fetched) {
  const SteadyTime now = clock_.steady_now();
  const WallTime wall = clock_.now();
  for (const log::StoredRecord& record : fetched.records) {
    partition.planned->add(record, now, wall);
    if (partition.planned->closed() >= kPlannedAtOnce && !put(partition)) return;  // The rest is fetched again.
  }
  partition.planned->pass(fetched.next);
  if (partition.planned->must_put() && !put(partition)) return;
  partition.backoff.succeeded();
  partition.error.clear();
}

// The place is looked up anew, with what the store says.
void Worker::forget_place(Partition& partition) {
  partition.planned.reset();
  partition.position.reset();
}

// Goes on behind offsets without records (compaction, control batches): an object ends before them.
void Worker::pass_gap(Partition& partition, log::Offset next) {
  if (partition.open.empty()) {
    partition.position = std::max(*partition.position, next);
  } else if (next > partition.open.next()) {
    partition.must_put = true;
  }
}

void Worker::put_due(const Targets& targets) {
  const SteadyTime now = clock_.steady_now();
  for (auto& [name, partition] : partitions_) {
    if (!partition.backoff.ready(now)) continue;
    const auto target = targets.find(name);
    if (partition.planned) {
      const bool all = target != targets.end() && partition.planned->next() >= target->second;
      all ? partition.planned->close_all() : partition.planned->close_due(now, clock_.now());
      if (partition.planned->must_put()) put(partition);
      continue;
    }
    if (partition.open.empty()) continue;
    const bool reached = target != targets.end() && partition.open.next() >= target->second;
    if (reached || due(partition, now)) put(partition);
  }
}

// Puts the largest open objects early until the rest is within half of the bound.
void Worker::relieve_memory() {
  if (open_bytes() < options_.max_memory.count()) return;
  const SteadyTime now = clock_.steady_now();
  std::vector<Partition*> by_size;
  for (auto& [name, partition] : partitions_) {
    if (held_bytes(partition) > 0 && partition.backoff.ready(now)) by_size.push_back(&partition);
  }
  std::ranges::sort(by_size, std::ranges::greater(), [](const Partition* p) { return held_bytes(*p); });
  for (Partition* partition : by_size) {
    if (partition->planned) partition->planned->close_all();
    if (open_bytes() < options_.max_memory.count() / 2 || !put(*partition)) return;
  }
}

// Puts the open object. False: it is still open (retried after the back-off), or another attempt was first
// and the place is looked up anew.
bool Worker::put(Partition& partition) {
  if (partition.planned) return put_planned(partition);
  OpenObject& open = partition.open;
  if (open.next() > kLastOffset) {
    failed(partition, {ErrorCode::kInvalid, "offsets past 9999999999 have no object name; begin a new topic"});
    return false;
  }
  const auto stored = store_.put_new(object_name(partition.name, open.first(), options_.names), open.text());
  if (!stored && stored.error().code != ErrorCode::kConflict) {
    failed(partition, stored.error());
    return false;
  }
  if (stored) {
    ++totals_.objects;
    totals_.records += static_cast<std::uint64_t>(open.records());
    totals_.bytes += open.text().size();
    partition.position = open.next();
    unsaved_hints_.insert_or_assign(partition.name, open.next());
  } else {
    // An object of this first offset is there: of an attempt whose answer was lost, or of another sink. It
    // may be shorter or longer than ours; it counts.
    partition.position.reset();
  }
  open.clear();
  partition.must_put = false;
  partition.backoff.succeeded();
  partition.error.clear();
  return stored.has_value();
}

bool Worker::put_planned(Partition& partition) {
  auto done = partition.planned->put();
  if (!done) {
    // Another sink made the next plan, or an answer was lost and it was us: the plan in the store tells where to go on.
    if (done.error().code == ErrorCode::kConflict) {
      forget_place(partition);
      return false;
    }
    failed(partition, std::move(done).error());
    return false;
  }
  totals_.objects += done->objects;
  totals_.records += done->records;
  totals_.bytes += done->bytes;
  partition.position = partition.planned->done();
  if (done->objects > 0) unsaved_hints_.insert_or_assign(partition.name, *partition.position);
  partition.backoff.succeeded();
  partition.error.clear();
  return true;
}

void Worker::save_hints() {
  if (unsaved_hints_.empty() || !hint_backoff_.ready(clock_.steady_now())) return;
  std::vector<log::GroupOffset> offsets;
  for (const auto& [name, offset] : unsaved_hints_) offsets.push_back({name, offset});
  const auto saved = log_.commit_offsets(options_.group, offsets);
  if (!saved) {
    hint_backoff_.failed(clock_.steady_now());
    return warn("The sink cannot commit its group's offsets and tries again", options_.group, saved.error().message);
  }
  hint_backoff_.succeeded();
  unsaved_hints_.clear();
}

void Worker::failed(Partition& partition, Error error) {
  partition.backoff.failed(clock_.steady_now());
  partition.error = std::move(error.message);
  totals_.last_error = partition.error;
  warn("The sink cannot go on with a partition and tries again",
       fmt::format("{}/{}", partition.name.topic, partition.name.partition), partition.error);
}

// One line in kBetweenWarnings for all that goes wrong: a store that is away must not fill the operator's
// disk.
void Worker::warn(std::string_view message, const std::string& subject, const std::string& cause) {
  const SteadyTime now = clock_.steady_now();
  if (now < warn_at_) {
    ++unwarned_;
    return;
  }
  logger_.warning(message, {{"subject", subject}, {"cause", cause}, {"not_shown", unwarned_}});
  warn_at_ = now + kBetweenWarnings;
  unwarned_ = 0;
}

log::Offset Worker::place_of(const Partition& partition) {
  return partition.planned ? partition.planned->done() : partition.position.value_or(log::Offset(0));
}

SinkStatus Worker::status() const {
  SinkStatus status = totals_;
  for (const auto& [name, partition] : partitions_) {
    status.partitions.push_back({name, place_of(partition), 0, partition.error});
  }
  return status;
}

std::map<log::TopicPartition, log::ReaderPlace> Worker::places() const {
  std::map<log::TopicPartition, log::ReaderPlace> places;
  for (const auto& [name, partition] : partitions_) {
    places.emplace(name, log::ReaderPlace{place_of(partition), partition.error});
  }
  return places;
}

}  // namespace pinflow::sink::internal
