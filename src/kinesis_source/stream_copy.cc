#include "kinesis_source/stream_copy.h"

#include <algorithm>
#include <charconv>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "kinesis_source/internal/positions_file.h"
#include "log/partitioner.h"

namespace pinflow::kinesis_source {

namespace {

constexpr std::chrono::hours kLeastRetention{24};  // Of any stream.
// Who begins at the oldest record is about as far behind as records are kept, and has lost nothing.
constexpr std::chrono::minutes kAboutToGo{10};
// Kinesis throttles whoever catches up, for some seconds at a time: only what goes on for longer is told.
constexpr int kToleratedThrottles = 5;

const std::string* header(const log::StoredRecord& record, std::string_view name) {
  for (const log::Header& one : record.headers) {
    if (one.key == name && one.value) return &*one.value;
  }
  return nullptr;
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

// What is to be stored in one partition.
struct StreamCopy::Part {
  std::vector<CopiedPlace> places = {};
  std::vector<log::Record> records = {};
  std::promise<std::vector<Result<log::Appended>>> answer = {};
};

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
        state.throttled = 0;
        state.backoff.succeeded();
      } else {
        failed(id, state, copied.error(), at);
      }
    }
    next = std::min(next, std::max(state.next_call, state.backoff.retry_at()));
  }
  return recovered_ ? next : store_backoff_.retry_at();
}

void StreamCopy::failed(const std::string& id, ShardState& state, const Error& error, SteadyTime now) {
  state.backoff.failed(now);
  const bool throttled = error.code == ErrorCode::kOverloaded;
  state.throttled = throttled ? state.throttled + 1 : 0;
  state.iterator.reset();  // Some of what it gives may be stored.
  if (throttled && state.throttled <= kToleratedThrottles) return;
  const bool is_new = state.error != error.message;
  state.error = error.message;
  if (is_new)
    logger_.warning("a shard of Kinesis does not go on; it is tried again",
                    {{"stream", options_.stream}, {"shard", id}, {"why", state.error}});
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
  listed_ = false;
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
    state.read_until = position.read_until;
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
      if (state.complete && !sequence_before(*state.complete, *sequence)) continue;
      const std::string* const subsequence = header(record, kSubsequenceHeader);
      state.present.insert({*sequence, subsequence == nullptr ? 0 : number_in(*subsequence)});
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
    state.first_hash = one.first_hash;
    state.last_hash = one.last_hash;
    const bool before = state.complete && !one.first.empty() && sequence_before(*state.complete, one.first);
    if (before || (state.finished && one.open)) begin_again(one.id, state, one);
  }
  for (auto& [id, state] : shards_) {
    if (state.listed || state.finished) continue;
    state.finished = true;
    if (!state.present.empty()) state.complete = state.present.rbegin()->sequence;
    state.present.clear();
    logger_.error("a shard left Kinesis before all of it was read: what it had behind the last copied record is lost",
                  {{"stream", options_.stream}, {"shard", id}, {"read up to", state.complete.value_or("nothing")}});
  }
  listed_ = true;
  kept_.reset();  // It may be changed.
  next_listing_ = clock_.steady_now() + options_.list_interval;
  return {};
}

// Names of shards are those of the stream that was there before; sequence numbers grow from one to the next.
void StreamCopy::begin_again(const std::string& id, ShardState& state, const Shard& listed) {
  logger_.error(
      "a stream of Kinesis was made again: it is copied from its oldest record on; what was not read of the one before "
      "is lost",
      {{"stream", options_.stream}, {"shard", id}, {"read up to", state.complete.value_or("nothing")}});
  state.complete.reset();
  state.present.erase(state.present.begin(), state.present.lower_bound({listed.first}));
  state.finished = false;
  state.read_until.reset();
  state.iterator.reset();
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
  const WallTime now = clock_.now();
  const bool any = !got->records.empty();
  if (any) TRY(append(id, state, std::move(got->records)));
  TRY(tell_of_dropped(id, state, now));
  state.iterator = got->next;
  state.behind = got->behind;
  state.finished = !got->next;
  if (!state.finished) state.read_until = now - state.behind;  // Children have records of before the last call.
  if (state.finished) next_listing_ = SteadyTime::min();       // Its children may begin.
  state.next_call = asked + (any || got->behind.count() > 0 ? options_.least_pause : options_.poll);
  return {};
}

// Kinesis does not say what it dropped of a shard: reading goes on at the oldest record that is left. But nothing can be missing as long as what arrived since
// was all read within the time that records are kept.
Result<void> StreamCopy::tell_of_dropped(const std::string& id, const ShardState& state, WallTime now) {
  std::optional<WallTime> since = state.read_until;
  for (const std::string& parent : state.parents) {
    const auto found = shards_.find(parent);
    if (state.read_until || found == shards_.end() || !found->second.read_until) continue;
    since = std::min(since.value_or(WallTime::max()), *found->second.read_until);
  }
  if (!since || now - *since <= kLeastRetention + kAboutToGo) return {};
  if (!kept_) {
    auto kept = kinesis_.retention(options_.stream);
    if (!kept && kept.error().code != ErrorCode::kInvalid) return fail(std::move(kept.error()));
    kept_ = kept.value_or(kLeastRetention);  // Refused: the permission is missing.
  }
  if (now - *since <= *kept_ + kAboutToGo) return {};
  const auto unread = std::chrono::floor<std::chrono::hours>(now - *since);
  logger_.error(
      "a shard of Kinesis was not read for longer than it keeps records: what arrived in the first hours of that time "
      "is lost",
      {{"stream", options_.stream},
       {"shard", id},
       {"read up to", state.complete.value_or("nothing")},
       {"hours not read", unread.count()},
       {"hours kept", kept_->count()}});
  return {};
}

// By partition, but for those that the log has already.
StreamCopy::Parts StreamCopy::divide(const std::string& id, ShardState& state, std::vector<Record> records) {
  Parts parts;
  for (Record& record : records) {
    if (auto packed = unpack(record.data, hasher_)) {
      take_packed(id, state, record, *std::move(packed), parts);
      continue;
    }
    if (state.present.contains({record.sequence})) continue;
    Part& part = parts[log::partition_of_key(record.key, topic_.partitions)];
    part.places.push_back({record.sequence});
    part.records.push_back(
        {.key = std::move(record.key),
         .value = std::move(record.data),
         .headers = {{std::string(kShardHeader), id}, {std::string(kSequenceHeader), std::move(record.sequence)}},
         .timestamp = record.arrived});
  }
  return parts;
}

// A producer that learns too late of a split packs records of other shards, and sends these again where they belong: every consumer leaves them out here.
void StreamCopy::take_packed(const std::string& id, ShardState& state, const Record& record,
                             std::vector<PackedRecord> packed, Parts& parts) {
  for (std::size_t i = 0; i < packed.size(); ++i) {
    PackedRecord& one = packed[i];
    if (one.hash < state.first_hash || one.hash > state.last_hash) {
      if (!std::exchange(state.told_of_strays, true))
        logger_.info("records packed for another shard of Kinesis are left out here: their producer sends them there",
                     {{"stream", options_.stream}, {"shard", id}, {"sequence", record.sequence}});
      continue;
    }
    CopiedPlace place{record.sequence, i};
    if (state.present.contains(place)) continue;
    Part& part = parts[log::partition_of_key(one.key, topic_.partitions)];
    part.places.push_back(std::move(place));
    part.records.push_back({.key = std::move(one.key),
                            .value = std::move(one.data),
                            .headers = {{std::string(kShardHeader), id},
                                        {std::string(kSequenceHeader), record.sequence},
                                        {std::string(kSubsequenceHeader), fmt::to_string(i)}},
                            .timestamp = record.arrived});
  }
}

Result<void> StreamCopy::append(const std::string& id, ShardState& state, std::vector<Record> records) {
  const std::string last = records.back().sequence;
  Parts parts = divide(id, state, std::move(records));
  for (auto& [partition, part] : parts) {
    log_.produce(options_.stream, partition, std::move(part.records),
                 [&answer = part.answer](auto results) { answer.set_value(std::move(results)); });
  }
  std::optional<Error> refused;  // Of records that the log does not take: they are not there.
  std::optional<Error> unknown;  // Of those of which it is not known.
  for (auto& [partition, part] : parts) {
    const auto results = part.answer.get_future().get();
    CHECK(results.size() == part.places.size(), "a log answers for each record");
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i]) {
        ++records_;
        seen_[partition] = std::max(seen_[partition], results[i]->offset + 1);
        state.present.insert(part.places[i]);
      } else {
        (results[i].error().code == ErrorCode::kInvalid ? refused : unknown) = results[i].error();
      }
    }
  }
  const auto context = [&](Error error) {
    return std::move(error).with_context(fmt::format("storing records of shard {}", id));
  };
  if (unknown) {
    recovered_ = false;  // Some of them may be there: the log is asked which.
    store_error_ = context(*unknown).message;
    store_backoff_.failed(clock_.steady_now());
    return fail(context(*std::move(unknown)));
  }
  store_error_.clear();
  store_backoff_.succeeded();
  if (refused) return fail(context(*std::move(refused)));  // The shard waits; others go on.
  state.complete = last;
  state.present.erase(state.present.begin(), state.present.upper_bound({last, UINT64_MAX}));
  return {};
}

// Whether all that the log has of the shards lies below their positions. It does not for a while after records were found in the log that
// no position covers: then the file of before must stay, since it says from where on to look for them. Nor before Kinesis said which shards there are: those that
// were finished would be taken for forgotten ones.
bool StreamCopy::is_settled() const {
  return recovered_ && listed_ &&
         std::ranges::all_of(shards_, [](const auto& entry) { return entry.second.present.empty(); });
}

Result<void> StreamCopy::save() {
  next_save_ = clock_.steady_now() + options_.save_interval;
  if (!is_settled()) return {};
  internal::Positions positions{.topic_id = topic_.id, .seen = seen_, .shards = {}};
  for (const auto& [id, state] : shards_) {
    // What Kinesis has forgotten needs no position.
    if (state.listed || !state.finished) positions.shards[id] = {state.complete, state.finished, state.read_until};
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
