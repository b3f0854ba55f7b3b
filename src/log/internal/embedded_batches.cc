#include "log/batch_validation.h"
#include "log/internal/batch_refusal.h"
#include "log/internal/embedded_log_impl.h"
#include "log/internal/partition_watch.h"

namespace pinflow::log {
namespace {

// What a waiting batch costs in memory beside its bytes.
constexpr std::size_t kBatchOverhead = sizeof(BatchRequest) + 64;

std::unexpected<BatchRefusal> refuse(BatchFault fault, std::string message) {
  return std::unexpected(BatchRefusal{fault, std::move(message), {}});
}

}  // namespace

std::expected<BatchRequest, BatchRefusal> EmbeddedLogImpl::make_batch_request(BatchAppend& append) {
  if (const auto writable = check_writable(); !writable) return refuse(BatchFault::kStorage, writable.error().message);
  const auto found = topics_.find(append.partition);
  if (!found) return refuse(BatchFault::kUnknownTopicOrPartition, found.error().message);
  auto batch = validate_batch(append.batch, *found->first->settings->get(), clock_.now());
  if (!batch) return std::unexpected(std::move(batch).error());
  // Ids that this log gives out never come so far; these stand for requests.
  if (is_request_id(batch->header.producer_id))
    return refuse(BatchFault::kInvalidRecord,
                  fmt::format("producer id {} was not given out by this log", batch->header.producer_id));
  BatchRequest request;
  request.topic = found->first;
  request.partition = append.partition.partition;
  request.bytes = append.batch.size() + kBatchOverhead;
  request.batch = *batch;
  request.keep_alive = std::move(append.keep_alive);
  return request;
}

void EmbeddedLogImpl::append_batch(BatchAppend append, BatchDone done) {
  auto request = make_batch_request(append);
  if (!request) return done(std::unexpected(std::move(request).error()));
  request->done = std::move(done);
  if (const auto accepted = committer_->submit(*request); !accepted)
    request->done(std::unexpected(refusal_of(accepted.error())));
}

Result<BatchRead> EmbeddedLogImpl::read_batches(const TopicPartition& partition, Offset from, std::size_t max_bytes,
                                                bool first_whole) {
  TRY_ASSIGN(const auto found, topics_.find(partition));
  return found.second->read_batches(from, max_bytes, first_whole);
}

std::unique_ptr<Watch> EmbeddedLogImpl::watch(std::span<const FetchPosition> positions,
                                              std::move_only_function<void()> ready) {
  return std::make_unique<PartitionWatch>(topics_, positions, std::move(ready));
}

Result<std::optional<TimedOffset>> EmbeddedLogImpl::find_time(const TopicPartition& partition, WallTime time) {
  TRY_ASSIGN(const auto found, topics_.find(partition));
  return found.second->find_time(time);
}

Result<std::optional<TimedOffset>> EmbeddedLogImpl::find_latest_time(const TopicPartition& partition) {
  TRY_ASSIGN(const auto found, topics_.find(partition));
  return found.second->find_latest_time();
}

Result<std::int32_t> EmbeddedLogImpl::leader_epoch(const TopicPartition& partition) {
  TRY_ASSIGN(const auto found, topics_.find(partition));
  return found.second->leader_epoch();
}

Result<EpochEnd> EmbeddedLogImpl::epoch_end(const TopicPartition& partition, std::int32_t epoch) {
  TRY_ASSIGN(const auto found, topics_.find(partition));
  return found.second->epoch_end(epoch);
}

Result<Topic> EmbeddedLogImpl::add_partitions(const std::string& topic, std::int32_t total) {
  TRY(check_writable());
  TRY_ASSIGN(const OpenTopicPtr open, topics_.add_partitions(topic, total));
  shares_.changed();
  return open->topic;
}

Result<Topic> EmbeddedLogImpl::alter_topic(const std::string& topic, TopicConfigs configs) {
  TRY(check_writable());
  TRY_ASSIGN(const OpenTopicPtr open, topics_.alter(topic, std::move(configs)));
  cleaner_->notify();
  return open->topic;
}

Result<Offset> EmbeddedLogImpl::delete_records(const TopicPartition& partition, Offset before) {
  TRY(check_writable());
  TRY_ASSIGN(const auto found, topics_.find(partition));
  if (before < Offset(0)) return fail(ErrorCode::kInvalid, fmt::format("offset {} is negative", before));
  TRY_ASSIGN(const Offset start, found.second->advance_log_start(before));
  if (auto dropped = found.second->drop_old_segments(); !dropped)
    logger_.warning(
        "files of deleted records could not be removed; the next start does it",
        {{"topic", partition.topic}, {"partition", partition.partition}, {"cause", dropped.error().message}});
  return start;
}

Result<std::int64_t> EmbeddedLogImpl::new_producer_id() {
  TRY(check_writable());
  return producer_ids_.next();
}

}  // namespace pinflow::log
