#include "kinesis_source/stream_copy.h"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "kinesis_source/internal/positions_file.h"
#include "log/partitioner.h"

namespace pinflow::kinesis_source {

namespace {

const std::string* header(const log::StoredRecord& record, std::string_view name) {
  for (const log::Header& one : record.headers) {
    if (one.key == name && one.value) return &*one.value;
  }
  return nullptr;
}

}  // namespace

bool sequence_before(std::string_view one, std::string_view other) {
  return one.size() != other.size() ? one.size() < other.size() : one < other;
}

StreamCopy::StreamCopy(StreamCopyOptions options, KinesisApi& kinesis, log::Log& log, disk::Disk& disk,
                       const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      kinesis_(kinesis),
      log_(log),
      disk_(disk),
      clock_(clock),
      logger_(logger),
      backoff_(options_.least_backoff, options_.most_backoff),
      store_backoff_(options_.least_backoff, options_.most_backoff) {}

StreamCopy::ShardState& StreamCopy::shard(const std::string& id) {
  const auto found = shards_.find(id);
  if (found != shards_.end()) return found->second;
  return shards_.emplace(id, ShardState{.backoff = Backoff(options_.least_backoff, options_.most_backoff)})
      .first->second;
}

SteadyTime StreamCopy::step(std::stop_token stop) {
  const SteadyTime now = clock_.steady_now();
  if (!backoff_.ready(now)) return backoff_.retry_at();
  if (!store_backoff_.ready(now)) return store_backoff_.retry_at();
  Result<void> done;
  if (!recovered_) done = recover(stop);
  if (done && now >= next_listing_) done = look_for_shards();
  if (done && now >= next_save_) done = save();
  if (!done) {
    if (stop.stop_requested()) return now;
    error_ = done.error().message;
    logger_.warning("a stream of Kinesis cannot be read; it is tried again",
                    {{"stream", options_.stream}, {"why", error_}});
    backoff_.failed(now);
    return backoff_.retry_at();
  }
  error_.clear();
  backoff_.succeeded();
  SteadyTime next = std::min(next_listing_, next_save_);
  for (auto& [id, state] : shards_) {
    if (stop.stop_requested() || !recovered_) break;
    if (state.finished || !state.listed || !may_begin(state)) continue;
    const SteadyTime at = clock_.steady_now();
    if (at >= state.next_call && state.backoff.ready(at)) {
      if (const auto copied = copy_some(id, state); copied) {
        state.error.clear();
        state.backoff.succeeded();
      } else {
        const bool is_new = state.error != copied.error().message;
        state.error = copied.error().message;
        state.iterator.reset();
        state.backoff.failed(at);
        if (is_new && copied.error().code != ErrorCode::kOverloaded)
          logger_.warning("a shard of Kinesis does not go on; it is tried again",
                          {{"stream", options_.stream}, {"shard", id}, {"why", state.error}});
      }
    }
    next = std::min(next, std::max(state.next_call, state.backoff.retry_at()));
  }
  return recovered_ ? next : store_backoff_.retry_at();
}

Result<void> StreamCopy::recover(std::stop_token stop) {
  TRY_ASSIGN(topic_, log_.topic(options_.stream));
  shards_.clear();
  seen_.clear();
  TRY(load(topic_));
  for (std::int32_t i = 0; i < topic_.partitions; ++i) {
    const log::PartitionId partition(i);
    const auto seen = seen_.find(partition);
    TRY(scan(partition, seen == seen_.end() ? log::Offset(0) : seen->second, stop));
  }
  recovered_ = true;
  next_listing_ = SteadyTime::min();
  return {};
}

Result<void> StreamCopy::load(const log::Topic& topic) {
  TRY_ASSIGN(const auto saved, internal::read_positions(disk_, options_.folder, options_.stream));
  if (!saved || saved->topic_id != topic.id)
    return {};  // Of a topic that was deleted: this one is filled from the start.
  seen_ = saved->seen;
  for (const auto& [id, position] : saved->shards) {
    ShardState& state = shard(id);
    state.complete = position.complete;
    state.finished = position.finished;
    state.listed = false;  // Until it is.
  }
  return {};
}

// Notes what a partition has of each shard.
Result<void> StreamCopy::scan(log::PartitionId partition, log::Offset from, std::stop_token stop) {
  const log::TopicPartition name{options_.stream, partition};
  TRY_ASSIGN(const log::OffsetRange range, log_.offsets(name));
  log::Offset next = std::max(from, range.begin);
  while (next < range.end) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "stopped");
    TRY_ASSIGN(const auto fetched,
               log_.fetch({.positions = {{name, next}}, .max_wait = std::chrono::milliseconds(1'000)}, stop));
    if (fetched.empty()) continue;
    if (fetched.front().error) return fail(*fetched.front().error);
    for (const log::StoredRecord& record : fetched.front().records) {
      const std::string* const id = header(record, kShardHeader);
      const std::string* const sequence = header(record, kSequenceHeader);
      if (id == nullptr || sequence == nullptr) continue;
      ShardState& state = shard(*id);
      if (!state.complete || sequence_before(*state.complete, *sequence)) state.present.insert(*sequence);
    }
    next = std::max(next, fetched.front().next);
  }
  seen_[partition] = range.end;
  return {};
}

Result<void> StreamCopy::look_for_shards() {
  TRY_ASSIGN(const auto listed, kinesis_.list_shards(options_.stream));
  for (auto& [id, state] : shards_) state.listed = false;
  for (const Shard& one : listed) {
    ShardState& state = shard(one.id);
    state.listed = true;
    state.parents = one.parents;
  }
  for (auto& [id, state] : shards_) {
    if (state.listed || state.finished) continue;
    state.finished = true;
    if (!state.present.empty()) state.complete = *state.present.rbegin();
    state.present.clear();
    logger_.error("a shard left Kinesis before all of it was read: what it had behind the last copied record is lost",
                  {{"stream", options_.stream}, {"shard", id}, {"read up to", state.complete.value_or("nothing")}});
  }
  next_listing_ = clock_.steady_now() + options_.list_interval;
  return {};
}

// Parents that Kinesis does not list any more are gone with what they had.
bool StreamCopy::may_begin(const ShardState& state) const {
  return std::ranges::all_of(state.parents, [&](const std::string& parent) {
    const auto found = shards_.find(parent);
    return found == shards_.end() || found->second.finished || !found->second.listed;
  });
}

Result<void> StreamCopy::copy_some(const std::string& id, ShardState& state) {
  if (!state.iterator) {
    TRY_ASSIGN(state.iterator, kinesis_.iterator(options_.stream, id, state.complete));
  }
  const SteadyTime asked = clock_.steady_now();
  auto got = kinesis_.get_records(*state.iterator);
  if (!got && got.error().code == ErrorCode::kConflict) {  // It expired: where it stood is known.
    TRY_ASSIGN(state.iterator, kinesis_.iterator(options_.stream, id, state.complete));
    got = kinesis_.get_records(*state.iterator);
  }
  if (!got) return fail(std::move(got.error()));
  const bool any = !got->records.empty();
  if (any) TRY(append(id, state, std::move(got->records)));
  state.iterator = got->next;
  state.behind = got->behind;
  state.finished = !got->next;
  if (state.finished) next_listing_ = SteadyTime::min();  // Its children may begin.
  state.next_call = asked + (any || got->behind.count() > 0 ? options_.least_pause : options_.poll);
  return {};
}

// All records of one answer, but for those that the log has already.
Result<void> StreamCopy::append(const std::string& id, ShardState& state, std::vector<Record> records) {
  const std::string last = records.back().sequence;
  std::map<log::PartitionId, std::vector<log::Record>> by_partition;
  for (Record& record : records) {
    if (state.present.contains(record.sequence)) continue;
    const log::PartitionId partition = log::partition_of_key(record.key, topic_.partitions);
    by_partition[partition].push_back(
        {.key = std::move(record.key),
         .value = std::move(record.data),
         .headers = {{std::string(kShardHeader), id}, {std::string(kSequenceHeader), std::move(record.sequence)}},
         .timestamp = record.arrived});
  }
  using Results = std::vector<Result<log::Appended>>;
  std::vector<std::pair<log::PartitionId, std::future<Results>>> under_way;
  for (auto& [partition, some] : by_partition) {
    std::promise<Results> promise;
    under_way.emplace_back(partition, promise.get_future());
    log_.produce(options_.stream, partition, std::move(some),
                 [promise = std::move(promise)](Results results) mutable { promise.set_value(std::move(results)); });
  }
  Result<void> outcome;
  std::uint64_t stored = 0;
  for (auto& [partition, answered] : under_way) {
    for (const auto& result : answered.get()) {
      if (result) {
        ++stored;
        seen_[partition] = std::max(seen_[partition], result->offset + 1);
      } else if (outcome) {
        outcome = fail(Error(result.error()).with_context(fmt::format("storing records of shard {}", id)));
      }
    }
  }
  records_ += stored;
  if (!outcome) {
    recovered_ = false;  // Some of them may be there: the log is asked which.
    store_error_ = outcome.error().message;
    store_backoff_.failed(clock_.steady_now());
    return outcome;
  }
  store_error_.clear();
  store_backoff_.succeeded();
  state.complete = last;
  state.present.erase(state.present.begin(), state.present.upper_bound(last));
  return {};
}

// Whether all that the log has of the shards lies below their positions. It does not for a while after records were found in the log that
// no position covers: then the file of before must stay, since it says from where on to look for them.
bool StreamCopy::is_settled() const {
  return recovered_ && std::ranges::all_of(shards_, [](const auto& entry) { return entry.second.present.empty(); });
}

Result<void> StreamCopy::save() {
  next_save_ = clock_.steady_now() + options_.save_interval;
  if (!is_settled()) return {};
  internal::Positions positions{.topic_id = topic_.id, .seen = seen_, .shards = {}};
  for (const auto& [id, state] : shards_) {
    // What Kinesis has forgotten needs no position.
    if (state.listed || !state.finished) positions.shards[id] = {state.complete, state.finished};
  }
  return internal::write_positions(disk_, options_.folder, options_.stream, positions);
}

StreamCopyStatus StreamCopy::status() const {
  StreamCopyStatus status{
      .stream = options_.stream, .records = records_, .shards = {}, .error = error_.empty() ? store_error_ : error_};
  for (const auto& [id, state] : shards_) {
    if (state.listed) status.shards.push_back({id, state.finished, state.behind, state.error});
  }
  return status;
}

}  // namespace pinflow::kinesis_source
