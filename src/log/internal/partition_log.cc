#include "log/internal/partition_log.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace pinflow::log {

std::unique_ptr<PartitionLog> PartitionLog::make_new(PartitionOptions options) {
  auto partition = std::unique_ptr<PartitionLog>(new PartitionLog(std::move(options)));
  partition->open_since_ = partition->options_.clock.now();
  return partition;
}

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(PartitionOptions options, bool new_epoch,
                                                         RecoveryReport& report) {
  auto partition = make_new(std::move(options));
  TRY(partition->recover(new_epoch, report));
  return partition;
}

disk::Path PartitionLog::segment_path(Offset base, std::optional<Offset> end) const {
  if (end) return options_.folder / fmt::format("{:020}-{:020}.log", base.value(), end->value());
  return options_.folder / fmt::format("{:020}.log", base.value());
}

void PartitionLog::fence(std::string cause) {
  writer_.reset();
  if (fence_) return;
  options_.logger.error("partition is fenced: it takes no records until the log is opened again",
                        {{"topic", options_.name.topic}, {"partition", options_.name.partition}, {"cause", cause}});
  fence_ = std::move(cause);
}

Result<void> PartitionLog::check_writable() const {
  const std::scoped_lock lock(write_mutex_);
  return writable();
}

Result<void> PartitionLog::writable() const {
  if (closed_) return fail(ErrorCode::kNotFound, fmt::format("topic {} is deleted", options_.name.topic));
  if (fence_)
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}-{} takes no records: {}", options_.name.topic, options_.name.partition, *fence_));
  return {};
}

Result<void> PartitionLog::append(std::string_view batches, std::span<const BatchMark> marks, Offset end) {
  const std::scoped_lock lock(write_mutex_);
  TRY(writable());
  TRY(prepare_writer(batches.size()));
  if (auto written = writer_->append(batches); !written) return take_back(std::move(written).error());
  for (const BatchMark& mark : marks)
    unpublished_.push_back({mark.offset, write_size_ + mark.position, mark.max_timestamp});
  write_size_ += batches.size();
  next_offset_ = end;
  dirty_ = true;
  unsynced_batches_ = static_cast<std::int32_t>(std::min<std::int64_t>(
      std::int64_t{unsynced_batches_} + std::ssize(marks), std::numeric_limits<std::int32_t>::max()));
  return {};
}

// Opens the last segment, or closes it and begins the next one where it is full.
Result<void> PartitionLog::prepare_writer(std::size_t bytes) {
  if (!open_) return begin_segment();
  TRY(open_writer());
  if (write_size_ == 0 || write_size_ + bytes <= segment_size()) return {};
  return close_segment();
}

Result<void> PartitionLog::open_writer() {
  if (writer_) return {};
  const disk::Path& path = open_->path;
  TRY_ASSIGN(auto file, options_.disk.open_append(path));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  writer_ = std::move(file);
  if (size == write_size_) return {};
  fence(
      fmt::format("{} has {} bytes, but {} were written; something else changed it", path.string(), size, write_size_));
  return fail(ErrorCode::kUnavailable, *fence_);
}

// Closes the open segment and begins the next one. A closed segment is trusted at the next opening without a look at its
// checksums, so it is synced at every level.
Result<void> PartitionLog::close_segment() {
  CHECK(unpublished_.empty(), "a segment is closed between two commits");
  if (auto synced = writer_->sync(); !synced) {
    fence(fmt::format("closing {} failed: {}", open_->path.string(), synced.error().message));
    return fail(ErrorCode::kUnavailable, *fence_);
  }
  dirty_ = false;
  unsynced_batches_ = 0;
  const Offset base = open_->base;
  write_beside(options_.folder / fmt::format("{:020}.producers", next_offset_.value()),
               encode_producers(options_.clock.now()));
  write_index(*open_);
  TRY(begin_segment());
  (void)options_.disk.remove(options_.folder / fmt::format("{:020}.producers", base.value()));
  return {};
}

std::string PartitionLog::encode_producers(WallTime now) const {
  std::vector<StoredRequest> requests;
  if (options_.requests != nullptr) requests = options_.requests->of_slot(slot_, now);
  return producers_.encode(next_offset_, now, requests);
}

void PartitionLog::write_index(const Segment& segment) {
  std::unique_lock lock(mutex_);
  const std::string bytes = segment.index.encode(segment.base, segment.end, segment.visible_size);
  lock.unlock();
  write_beside(disk::Path(segment.path).replace_extension(".index"), bytes);
}

// What can be built again from the segments may be missing: the next opening takes longer then.
void PartitionLog::write_beside(const disk::Path& path, std::string_view bytes) {
  if (auto written = options_.disk.write_file(path, bytes); !written)
    options_.logger.warning("a file beside the segments was not written; it is built again when it is needed",
                            {{"file", path.string()}, {"cause", written.error().message}});
}

Result<void> PartitionLog::begin_segment() {
  auto segment = std::make_shared<Segment>();
  segment->base = segment->end = next_offset_;
  segment->path = segment_path(next_offset_, std::nullopt);
  segment->index_checked = true;
  auto file = options_.disk.open_append(segment->path);
  if (!file)
    return fail(ErrorCode::kUnavailable, fmt::format("beginning {} failed, nothing was stored: {}",
                                                     segment->path.string(), file.error().message));
  if (auto synced = options_.disk.sync_folder(options_.folder); !synced) {
    fence(fmt::format("beginning {} failed: {}", segment->path.string(), synced.error().message));
    return fail(ErrorCode::kUnavailable, *fence_);
  }
  writer_ = std::move(*file);
  write_size_ = 0;
  unsynced_batches_ = 0;
  const std::scoped_lock lock(mutex_);
  open_ = segment;
  segments_.push_back(std::move(segment));
  open_since_ = options_.clock.now();
  return {};
}

Result<void> PartitionLog::roll() {
  const std::scoped_lock lock(write_mutex_);
  TRY(writable());
  if (!open_ || write_size_ == 0) return {};
  TRY(open_writer());
  return close_segment();
}

// After a failed write the tail is unknown. It is cut and the cut is synced, so that no part of it can come
// back after the caller was told that nothing is stored.
Result<void> PartitionLog::take_back(Error error) {
  const disk::Path& path = open_->path;
  auto cut = writer_->truncate(write_size_);
  if (cut) cut = writer_->sync();
  if (!cut) {
    fence(fmt::format("writing {} failed ({}), and so did cutting it back ({})", path.string(), error.message,
                      cut.error().message));
    return fail(ErrorCode::kUnknownOutcome, *fence_);
  }
  unsynced_batches_ = 0;
  dirty_ = false;
  writer_.reset();
  // No space is a state of the disk that a person mends; anything else casts doubt on this file.
  if (error.code != ErrorCode::kUnavailable) fence(fmt::format("writing {} failed: {}", path.string(), error.message));
  return fail(ErrorCode::kUnavailable,
              fmt::format("writing {} failed, nothing was stored: {}", path.string(), error.message));
}

Result<void> PartitionLog::sync() {
  if (options_.durability != Durability::kPower) return {};
  const std::scoped_lock lock(write_mutex_);
  CHECK(writer_ != nullptr, "a sync follows an append");
  return sync_writer();
}

Result<void> PartitionLog::flush() {
  const std::scoped_lock lock(write_mutex_);
  if (!dirty_ || !writable()) return {};
  TRY(open_writer());
  return sync_writer();
}

Result<void> PartitionLog::sync_writer() {
  if (auto synced = writer_->sync(); !synced) {
    fence(fmt::format("syncing {} failed, so its last records may be lost: {}", open_->path.string(),
                      synced.error().message));
    return fail(ErrorCode::kUnknownOutcome,
                fmt::format("{}-{}: {}", options_.name.topic, options_.name.partition, *fence_));
  }
  unsynced_batches_ = 0;
  dirty_ = false;
  return {};
}

void PartitionLog::publish() {
  std::unique_lock lock(mutex_);
  Segment& segment = *open_;
  for (const BatchMark& mark : unpublished_) segment.index.note(mark);
  unpublished_.clear();
  published_bytes_ += write_size_ - segment.visible_size;
  segment.visible_size = write_size_;
  segment.end = range_.end = next_offset_;
  std::vector<std::stop_source> woken = waiters_.take(range_.end);
  lock.unlock();
  for (std::stop_source& source : woken) source.request_stop();  // Runs callbacks: not under our lock.
}

void PartitionLog::close() {
  {
    const std::scoped_lock lock(write_mutex_);
    closed_ = true;
  }
  std::unique_lock lock(mutex_);
  gone_ = true;
  std::vector<std::stop_source> woken = waiters_.take_all();
  lock.unlock();
  for (std::stop_source& source : woken) source.request_stop();
}

std::optional<Waiters::Id> PartitionLog::wait_for(Offset offset, std::stop_source source) {
  const std::scoped_lock lock(mutex_);
  if (gone_ || offset < range_.end) return std::nullopt;
  return waiters_.add(offset, std::move(source));
}

void PartitionLog::stop_waiting(Waiters::Id id) {
  const std::scoped_lock lock(mutex_);
  waiters_.remove(id);
}

std::int32_t PartitionLog::leader_epoch() const {
  const std::scoped_lock lock(mutex_);
  return state_.epochs.back().number;
}

std::int32_t PartitionLog::epoch_at(Offset offset) const {
  const std::scoped_lock lock(mutex_);
  return state_.epoch_at(offset);
}

EpochEnd PartitionLog::epoch_end(std::int32_t epoch) const {
  const std::scoped_lock lock(mutex_);
  return state_.epoch_end(epoch, range_.end);
}

OffsetRange PartitionLog::range() const {
  const std::scoped_lock lock(mutex_);
  return range_;
}

std::uint64_t PartitionLog::published_bytes() const {
  const std::scoped_lock lock(mutex_);
  return published_bytes_;
}

}  // namespace pinflow::log
