#include "log/internal/partition_log.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace pinflow::log {

std::unique_ptr<PartitionLog> PartitionLog::make_new(PartitionOptions options) {
  return std::unique_ptr<PartitionLog>(new PartitionLog(std::move(options)));
}

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(PartitionOptions options, RecoveryReport& report) {
  auto partition = make_new(std::move(options));
  TRY(partition->recover(report));
  return partition;
}

disk::Path PartitionLog::segment_path(Offset base) const {
  return options_.folder / fmt::format("{:020}.log", base.value());
}

void PartitionLog::fence(std::string cause) {
  writer_.reset();
  if (fence_) return;
  options_.logger.error("partition is fenced: it takes no records until the log is opened again",
                        {{"topic", options_.name.topic}, {"partition", options_.name.partition}, {"cause", cause}});
  fence_ = std::move(cause);
}

Result<void> PartitionLog::append(std::string_view batches, std::span<const IndexEntry> marks, Offset end) {
  const std::scoped_lock lock(write_mutex_);
  if (closed_) return fail(ErrorCode::kNotFound, fmt::format("topic {} is deleted", options_.name.topic));
  if (fence_)
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}-{} takes no records: {}", options_.name.topic, options_.name.partition, *fence_));
  TRY(prepare_writer(batches.size()));
  if (auto written = writer_->append(batches); !written) return take_back(std::move(written).error());
  for (const IndexEntry& mark : marks) unpublished_.push_back({mark.offset, write_size_ + mark.position});
  write_size_ += batches.size();
  next_offset_ = end;
  unsynced_batches_ = static_cast<std::int32_t>(std::min<std::int64_t>(
      std::int64_t{unsynced_batches_} + std::ssize(marks), std::numeric_limits<std::int32_t>::max()));
  return {};
}

// Opens the last segment, or closes it and begins the next one where it is full.
Result<void> PartitionLog::prepare_writer(std::size_t bytes) {
  if (segments_.empty()) return begin_segment();
  if (!writer_) {
    const disk::Path& path = segments_.back()->path;
    TRY_ASSIGN(auto file, options_.disk.open_append(path));
    TRY_ASSIGN(const std::uint64_t size, file->size());
    writer_ = std::move(file);
    if (size != write_size_) {
      fence(fmt::format("{} has {} bytes, but {} were written; something else changed it", path.string(), size,
                        write_size_));
      return fail(ErrorCode::kUnavailable, *fence_);
    }
  }
  if (write_size_ == 0 || write_size_ + bytes <= static_cast<std::uint64_t>(options_.settings->get()->segment_bytes))
    return {};
  // A closed segment is trusted at the next opening without its checksums, so it is synced at every level.
  if (auto synced = writer_->sync(); !synced) {
    fence(fmt::format("closing {} failed: {}", segments_.back()->path.string(), synced.error().message));
    return fail(ErrorCode::kUnavailable, *fence_);
  }
  return begin_segment();
}

Result<void> PartitionLog::begin_segment() {
  auto segment = std::make_unique<Segment>();
  segment->base = next_offset_;
  segment->path = segment_path(next_offset_);
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
  segments_.push_back(std::move(segment));
  return {};
}

// After a failed write the tail is unknown. It is cut and the cut is synced, so that no part of it can come
// back after the caller was told that nothing is stored.
Result<void> PartitionLog::take_back(Error error) {
  const disk::Path& path = segments_.back()->path;
  auto cut = writer_->truncate(write_size_);
  if (cut) cut = writer_->sync();
  if (!cut) {
    fence(fmt::format("writing {} failed ({}), and so did cutting it back ({})", path.string(), error.message,
                      cut.error().message));
    return fail(ErrorCode::kUnknownOutcome, *fence_);
  }
  unsynced_batches_ = 0;
  writer_.reset();
  // No space is a state of the disk that a person mends; anything else casts doubt on this file.
  if (error.code != ErrorCode::kUnavailable) fence(fmt::format("writing {} failed: {}", path.string(), error.message));
  return fail(ErrorCode::kUnavailable,
              fmt::format("writing {} failed, nothing was stored: {}", path.string(), error.message));
}

Result<void> PartitionLog::sync() {
  const std::scoped_lock lock(write_mutex_);
  if (options_.durability == Durability::kOs) return {};
  CHECK(writer_ != nullptr, "a sync follows an append");
  if (auto synced = writer_->sync(); !synced) {
    fence(fmt::format("syncing {} failed, so its last records may be lost: {}", segments_.back()->path.string(),
                      synced.error().message));
    return fail(ErrorCode::kUnknownOutcome,
                fmt::format("{}-{}: {}", options_.name.topic, options_.name.partition, *fence_));
  }
  unsynced_batches_ = 0;
  return {};
}

void PartitionLog::publish() {
  std::unique_lock lock(mutex_);
  Segment& segment = *segments_.back();
  for (const IndexEntry& mark : unpublished_) segment.index.note(mark.offset, mark.position);
  unpublished_.clear();
  published_bytes_ += write_size_ - segment.visible_size;
  segment.visible_size = write_size_;
  range_.end = next_offset_;
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
  return epochs_.back().number;
}

std::int32_t PartitionLog::epoch_at(Offset offset) const {
  const std::scoped_lock lock(mutex_);
  const auto above = std::ranges::upper_bound(epochs_, offset, {}, &Epoch::start);
  return above == epochs_.begin() ? epochs_.front().number : std::prev(above)->number;
}

EpochEnd PartitionLog::epoch_end(std::int32_t epoch) const {
  const std::scoped_lock lock(mutex_);
  const auto above = std::ranges::upper_bound(epochs_, epoch, {}, &Epoch::number);
  if (above == epochs_.begin()) return {};
  return {std::prev(above)->number, above == epochs_.end() ? range_.end : above->start};
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
