#include "log/internal/committer.h"

#include <algorithm>
#include <future>

#include "base/check.h"
#include "log/internal/batch_refusal.h"
#include "log/partitioner.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

// Readers read and check whole batches, so larger ones would cost those who take a few records at a time.
constexpr std::size_t kBatchTarget = 256 << 10;

constexpr std::size_t kKeepBuffer = 8 << 20;  // A larger buffer is given back after its commit.

constexpr std::uint64_t kCheckSpaceBytes = 64 << 20;
constexpr std::chrono::seconds kCheckSpaceEvery{1};

constexpr std::size_t kRecordFront = 36;  // At most, of a record beside its payload, and of a header too.

std::size_t batch_target(const TopicSettings& settings) {
  if (settings.max_message_bytes < 0) return kBatchTarget;
  return std::min(kBatchTarget, static_cast<std::size_t>(settings.max_message_bytes));
}

// For topics whose records bear the time of their arrival.
void stamp_append_time(char* batch, std::size_t size, WallTime now) {
  restamp_batch(std::span<char, kBatchHeaderSize>(batch, kBatchHeaderSize),
                std::string_view(batch + kBatchHeaderSize, size - kBatchHeaderSize), now.time_since_epoch().count(),
                true);
}

// Answers records that have no result of their own yet.
void refuse_records(ProduceRequest& request, const Error& error) {
  for (auto& result : request.results)
    if (result) result = fail(error);
}

}  // namespace

Result<void> SpaceGuard::check(std::uint64_t bytes) {
  unchecked_bytes_ += bytes;
  const SteadyTime now = clock_.steady_now();
  if (enough_ && unchecked_bytes_ < kCheckSpaceBytes && now - checked_at_ < kCheckSpaceEvery) return {};
  const auto free = disk_.free_space(options_.folder);
  enough_ = !free || free->count() >= options_.reserved_space.count() + bytes;  // A disk that cannot tell is not full.
  if (enough_) {
    unchecked_bytes_ = bytes;
    checked_at_ = now;
    return {};
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("the disk of {} is nearly full: {} MiB are free and {} MiB are kept in reserve. Free some "
                          "space, or "
                          "move the folder to a larger disk; writing goes on by itself then",
                          options_.folder.string(), free->count() >> 20, options_.reserved_space.count() >> 20));
}

Committer::Committer(const EmbeddedLogOptions& options, disk::Disk& disk, const Clock& clock, GroupJournal& journal,
                     RequestTable& requests)
    : options_(options),
      clock_(clock),
      journal_(journal),
      requests_(requests),
      space_(options_, disk, clock),
      syncs_(options.sync_threads),
      thread_([this](std::stop_token stop) { run(stop); }) {}

Result<void> Committer::admit(std::size_t bytes) {
  if (stopped_) return fail(ErrorCode::kCancelled, "the log is closing");
  if (bytes > options_.max_pending.count())
    return fail(ErrorCode::kInvalid, fmt::format("one call carries {} bytes, but {} can wait in all; send it in parts",
                                                 bytes, options_.max_pending.count()));
  if (admitted_bytes_ + bytes > options_.max_pending.count())
    return fail(ErrorCode::kOverloaded,
                fmt::format("{} bytes wait to be written, the bound is {}; try again a little later", admitted_bytes_,
                            options_.max_pending.count()));
  admitted_bytes_ += bytes;
  pending_.bytes += bytes;
  return {};
}

template <class Request>
Result<void> Committer::submit_to(std::vector<Request> Pending::* queue, Request& request) {
  {
    const std::scoped_lock lock(mutex_);
    TRY(admit(request.bytes));
    (pending_.*queue).push_back(std::move(request));
  }
  wake_.notify_one();
  return {};
}

Result<void> Committer::submit(ProduceRequest& request) {
  return submit_to(&Pending::produces, request);
}
Result<void> Committer::submit(BatchRequest& request) {
  return submit_to(&Pending::batches, request);
}
Result<void> Committer::submit(PositionsRequest& request) {
  return submit_to(&Pending::positions, request);
}

Result<void> Committer::between_commits(std::move_only_function<Result<void>()> work) {
  std::promise<Result<void>> promise;
  auto result = promise.get_future();
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return fail(ErrorCode::kCancelled, "the log is closing");
    pending_.tasks.push_back({std::move(work), [&](Result<void> done) { promise.set_value(std::move(done)); }});
  }
  wake_.notify_one();
  return result.get();
}

void Committer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  Pending left;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    left = std::exchange(pending_, {});
  }
  const Error closing{ErrorCode::kCancelled, "the log was closed before this was written"};
  refuse(left, closing);
  for (Task& task : left.tasks) task.done(fail(closing));
  flush_dirty();
}

void Committer::run(std::stop_token stop) {
  Pending taken;
  while (wait_for_work(taken, stop)) {
    if (!taken.empty()) commit(taken);
    for (Task& task : taken.tasks) task.done(task.work());
    taken.clear();
    if (options_.durability == Durability::kInterval && !dirty_.empty() &&
        std::chrono::steady_clock::now() - dirty_since_ >= options_.sync_interval)
      flush_dirty();
  }
}

// False when it is time to stop. Nothing may be taken when it is time to sync.
bool Committer::wait_for_work(Pending& taken, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !pending_.empty(); };
  if (options_.durability == Durability::kInterval && !dirty_.empty()) {
    wake_.wait_until(lock, stop, dirty_since_ + options_.sync_interval, ready);
  } else {
    wake_.wait(lock, stop, ready);
  }
  if (stop.stop_requested()) return false;
  std::swap(taken, pending_);
  return true;
}

// What fails here fences its partition, which says so in the log and to the next producer.
void Committer::flush_dirty() {
  std::vector<PartitionLog*> partitions;
  for (const auto& [partition, topic] : dirty_) partitions.push_back(partition);
  syncs_.run(partitions.size(), [&](std::size_t i) {
    if (!partitions[i]->flush()) all_durable_ = false;
  });
  dirty_.clear();
}

// Makes room before the answers: who was answered may send the next call at once and must not be refused for the last.
void Committer::release(Pending& taken) {
  const std::scoped_lock lock(mutex_);
  admitted_bytes_ -= std::exchange(taken.bytes, 0);
}

void Committer::refuse(Pending& taken, const Error& error) {
  for (ProduceRequest& request : taken.produces) {
    refuse_records(request, error);
    request.done(std::move(request.results));
  }
  for (BatchRequest& request : taken.batches) request.done(std::unexpected(refusal_of(error)));
  for (PositionsRequest& request : taken.positions) request.done(fail(error));
}

void Committer::answer(Pending& taken) {
  for (ProduceRequest& request : taken.produces) request.done(std::move(request.results));
  for (BatchRequest& request : taken.batches) {
    BatchDone done = std::move(request.done);
    request.keep_alive.reset();  // Who was answered may use the memory again.
    done(std::move(request.result));
  }
}

void Committer::commit(Pending& taken) {
  const WallTime now = clock_.now();
  if (const auto space = space_.check(taken.bytes); !space) {
    release(taken);
    return refuse(taken, space.error());
  }
  works_.clear();
  work_of_.clear();
  begun_.clear();
  for (ProduceRequest& request : taken.produces) request.once ? route_once(request, now) : route(request);
  for (BatchRequest& request : taken.batches) work_for(request.topic, request.partition).batches.push_back(&request);
  for (Work& work : works_) append(work, now);
  const bool changed = append_changes(taken.positions);
  sync_appended(changed);
  for (Work& work : works_) {
    if (work.appended && !work.error) work.partition->publish();
    if (work.appended && options_.durability != Durability::kPower) {
      if (dirty_.empty()) dirty_since_ = std::chrono::steady_clock::now();
      dirty_.emplace(work.partition, work.topic);
    }
    if (work.error) fail_all(work, *work.error);
  }
  release(taken);
  answer(taken);
  for (PositionsRequest& request : taken.positions) request.done(changes_stored_);
  if (buffer_.capacity() > kKeepBuffer) buffer_ = std::string();
}

// The journal of groups is one more file of this commit.
void Committer::sync_appended(bool changed) {
  to_sync_.clear();
  for (Work& work : works_) {
    if (work.appended) to_sync_.push_back(&work);
  }
  syncs_.run(to_sync_.size() + (changed ? 1 : 0), [this](std::size_t i) {
    if (i == to_sync_.size()) {
      changes_stored_ = journal_.sync();
      return;
    }
    if (auto synced = to_sync_[i]->partition->sync(); !synced) to_sync_[i]->error = synced.error();
  });
}

// Decides on the partition of each record. Neighbours that go to the same one stay together.
void Committer::route(ProduceRequest& request) {
  OpenTopic& topic = *request.topic;
  const std::size_t count = request.records.size();
  if (request.partition != kAnyPartition) return add_slice(request, request.partition, 0, count);
  if (topic.topic.partitions == 1) return add_slice(request, PartitionId(0), 0, count);
  // Records without key of one commit share a partition, which makes few and large batches.
  const PartitionId keyless(topic.next_keyless);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& key = request.records[i].key;
    add_slice(request, key ? partition_of_key(*key, topic.topic.partitions) : keyless, i, i + 1);
  }
}

// The keys of its records are spread over as many partitions as the topic had when the request first came.
void Committer::route_once(ProduceRequest& request, WallTime now) {
  OnceRequest& once = *request.once;
  std::int32_t content = once.content;
  once.placed_among = static_cast<std::int16_t>(request.topic->topic.partitions);
  if (const auto known = requests_.find(once.id, now)) {
    content = known->content;
    once.placed_among = known->partitions;
  } else if (const auto [begun, is_first] = begun_.try_emplace(once.id, &once); !is_first) {
    content = begun->second->content;
    once.placed_among = begun->second->placed_among;
  }
  if (content != once.content)
    return refuse_records(request, {ErrorCode::kConflict, "this request came before with other content"});
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    if (!request.results[i]) continue;
    const auto& key = request.records[i].key;
    PartitionId partition = once.partitions.empty() ? kAnyPartition : once.partitions[i];
    if (partition == kAnyPartition)
      partition = key ? partition_of_key(*key, once.placed_among)
                      : PartitionId(static_cast<std::int32_t>(once.id % once.placed_among));
    add_slice(request, partition, i, i + 1);
  }
}

Committer::Work& Committer::work_for(const OpenTopicPtr& topic, PartitionId partition) {
  PartitionLog* log = topic->partitions[static_cast<std::size_t>(partition.value())].get();
  const auto [at, is_new] = work_of_.try_emplace(log, works_.size());
  if (is_new) works_.push_back({topic, log, partition, {}, {}, std::nullopt, false});
  return works_[at->second];
}

void Committer::add_slice(ProduceRequest& request, PartitionId partition, std::size_t begin, std::size_t end) {
  auto& slices = work_for(request.topic, partition).slices;
  if (!slices.empty() && slices.back().request == &request && slices.back().end == begin) {
    slices.back().end = end;
  } else {
    slices.push_back({&request, begin, end});
  }
}

// Writes what goes to one partition with one append, and notes offsets as results.
void Committer::append(Work& work, WallTime now) {
  if (auto writable = work.partition->check_writable(); !writable) {
    work.error = std::move(writable).error();
    return;
  }
  buffer_.clear();
  marks_.clear();
  Offset offset = work.partition->next_offset();
  encode_records(work, offset, now);
  copy_batches(work, offset, now);
  if (buffer_.empty()) return;
  auto appended = work.partition->append(buffer_, marks_, offset);
  work.appended = appended.has_value();
  if (appended) {
    work.partition->producers().keep();
    requests_.keep(now);
  } else {
    work.partition->producers().undo();
    requests_.undo();
    work.error = std::move(appended).error();
  }
}

// Puts records into as few batches as their target size allows.
void Committer::encode_records(const Work& work, Offset& offset, WallTime now) {
  if (work.slices.empty()) return;
  const auto settings = work.topic->settings->get();
  const std::size_t target = batch_target(*settings);
  std::optional<BatchBuilder> batch;
  const auto finish = [&] {
    if (!batch) return;
    batch->finish();
    marks_.back().max_timestamp = batch->max_timestamp();
    if (settings->log_append_time) {
      stamp_append_time(buffer_.data() + marks_.back().position, batch->size(), now);
      marks_.back().max_timestamp = now.time_since_epoch().count();
    }
    batch.reset();
  };
  for (std::size_t next = 0; next < work.slices.size();) {
    const Slice& slice = work.slices[next];
    if (slice.request->once) {
      finish();
      const std::size_t first = next;
      while (next < work.slices.size() && work.slices[next].request == slice.request) ++next;
      encode_once(work, std::span(work.slices).subspan(first, next - first), offset, now);
      continue;
    }
    ++next;
    OpenTopic& topic = *slice.request->topic;
    for (std::size_t i = slice.begin; i < slice.end; ++i) {
      if (!slice.request->results[i]) continue;
      const Record& record = slice.request->records[i];
      if (!record.key) topic.next_keyless = (work.id.value() + 1) % topic.topic.partitions;
      if (batch && batch->size() + payload_size(record) + kRecordFront * (1 + record.headers.size()) > target) finish();
      if (!batch) {
        const std::int32_t run = work.partition->unsynced_batches() + static_cast<std::int32_t>(marks_.size());
        marks_.push_back({offset, buffer_.size(), kNoTimestamp});
        batch.emplace(buffer_, offset, run);
      }
      batch->add(record, record.timestamp.value_or(now));
      slice.request->results[i] = Appended{work.id, offset};
      ++offset;
    }
  }
  finish();
}

// One batch, whatever its size, so that all of it is stored or nothing; or the places that it got before.
void Committer::encode_once(const Work& work, std::span<const Slice> slices, Offset& offset, WallTime now) {
  ProduceRequest& request = *slices.front().request;
  const OnceRequest& once = *request.once;
  std::int32_t count = 0;
  for (const Slice& slice : slices) count += static_cast<std::int32_t>(slice.end - slice.begin);
  const auto stored = requests_.find(once.id, work.partition->slot(), now);
  if (stored && stored->count != count) {
    for (const Slice& slice : slices)
      for (std::size_t i = slice.begin; i < slice.end; ++i)
        request.results[i] = fail(ErrorCode::kConflict, "this request came before with another number of records");
    return;
  }
  Offset place = stored ? stored->base_offset : offset;
  std::optional<BatchBuilder> batch;
  if (!stored) {
    const std::int32_t run = work.partition->unsynced_batches() + static_cast<std::int32_t>(marks_.size());
    marks_.push_back({offset, buffer_.size(), kNoTimestamp});
    batch.emplace(buffer_, offset, run);
  }
  for (const Slice& slice : slices) {
    for (std::size_t i = slice.begin; i < slice.end; ++i) {
      const Record& record = request.records[i];
      if (batch) batch->add(record, record.timestamp.value_or(now));
      request.results[i] = Appended{work.id, place, stored.has_value()};
      ++place;
    }
  }
  if (!batch) return;
  batch->finish(producer_of(once.id, once.content, once.placed_among));
  marks_.back().max_timestamp = batch->max_timestamp();
  if (request.topic->settings->get()->log_append_time) {
    stamp_append_time(buffer_.data() + marks_.back().position, batch->size(), now);
    marks_.back().max_timestamp = now.time_since_epoch().count();
  }
  requests_.add({once.id, once.content, once.placed_among, count, offset, now}, work.partition->slot());
  offset = place;
}

// Takes producers' batches as they are but for the fields outside their checksum.
void Committer::copy_batches(const Work& work, Offset& offset, WallTime now) {
  for (BatchRequest* request : work.batches) {
    const ValidBatch& batch = request->batch;
    if (batch.header.producer_id >= 0 && !is_next(*request, *work.partition, now)) continue;
    const std::int32_t run = work.partition->unsynced_batches() + static_cast<std::int32_t>(marks_.size());
    const std::size_t start = buffer_.size();
    marks_.push_back({offset, start, batch.header.max_timestamp});
    buffer_.append(batch.front.data(), batch.front.size());
    buffer_.append(batch.records);
    stamp_batch(buffer_.data() + start, offset, run);
    request->result = BatchAppended{offset, work.partition->range().begin, batch.append_time, false};
    if (batch.header.producer_id >= 0) work.partition->producers().add(batch.header, offset, now);
    offset = offset + (std::int64_t{batch.header.last_offset_delta} + 1);
  }
}

// Whether the batch of an idempotent producer is to be stored. Otherwise its result says where it was stored before, or why it is refused.
// A twin of an earlier batch of this commit is answered with it, when that one is durable.
bool Committer::is_next(BatchRequest& request, PartitionLog& partition, WallTime now) {
  auto verdict = partition.producers().check(request.batch.header, now);
  if (!verdict) {
    request.result = std::unexpected(std::move(verdict).error());
    return false;
  }
  if (!*verdict) return true;
  const ProducerTable::Batch& before = **verdict;
  request.result = BatchAppended{before.base_offset, partition.range().begin,
                                 request.batch.append_time ? std::optional(before.timestamp) : std::nullopt, true};
  return false;
}

void Committer::fail_all(Work& work, const Error& error) {
  for (const Slice& slice : work.slices)
    for (std::size_t i = slice.begin; i < slice.end; ++i)
      if (auto& result = slice.request->results[i]; result) result = fail(error);
  for (BatchRequest* request : work.batches)
    if (request->result) request->result = std::unexpected(refusal_of(error));
}

// Whether there is something to sync.
bool Committer::append_changes(std::vector<PositionsRequest>& requests) {
  if (requests.empty()) return false;
  std::vector<GroupChange> changes;
  for (PositionsRequest& request : requests) changes.push_back(std::move(request.change));
  changes_stored_ = journal_.append(std::move(changes));
  return changes_stored_.has_value();
}

}  // namespace pinflow::log
