#include "batch/internal/object_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sink/object_bytes.h"

namespace pinflow::batch::internal {

// What one thread holds between two slices.
class ObjectReader::Worker {
 public:
  explicit Worker(const BatchOptions& options) : options_(options) {}

  records::RawBatch& rows(records::Kind kind) {
    auto& batch = rows_[static_cast<std::size_t>(kind)];
    if (!batch) batch = std::make_unique<records::RawBatch>(kind);
    return *batch;
  }
  records::DeadLetters& dead_letters() {
    if (!slice_.dead_letters) slice_.dead_letters = std::make_unique<records::DeadLetters>();
    return *slice_.dead_letters;
  }
  void count(std::size_t place, const SunkObject& object, std::uint64_t bytes, std::uint64_t records) {
    slice_.lines.emplace_back(place, records);
    ++slice_.objects;
    slice_.bytes += bytes;
    slice_.records[static_cast<std::size_t>(object.kind)] += records;
    if (records == 0 || object.plan > 0) return;
    const log::Offset end = object.name.first + static_cast<std::int64_t>(records - 1);
    log::Offset& last = slice_.last_offsets.try_emplace(object.name.partition, end).first->second;
    last = std::max(last, end);
  }

  void skip(std::size_t place, const std::string& reason) {
    ++slice_.objects;
    slice_.skipped.emplace_back(place, reason);
  }
  sink::ObjectUnpacker& unpacker() { return unpacker_; }

  // What should be handed over after an object of this kind: its rows once they are enough for a slice; dead
  // letters and counts alone now and then, so that memory stays bounded and progress is seen.
  std::optional<Slice> full(records::Kind kind) {
    const ColumnBatch& batch = rows(kind).batch();
    const bool rows_full = batch.rows() >= options_.slice_rows || batch.memory() >= options_.slice_memory.count();
    const bool letters_full =
        slice_.dead_letters && slice_.dead_letters->batch().memory() >= options_.slice_memory.count();
    if (!rows_full && !letters_full && slice_.objects < kObjectsAtOnce && slice_.bytes < kBytesAtOnce)
      return std::nullopt;
    return take(rows_full ? std::move(rows_[static_cast<std::size_t>(kind)]) : nullptr);
  }

  // What is left at the end, one slice a kind.
  std::vector<Slice> rest() {
    std::vector<Slice> slices;
    for (auto& batch : rows_) {
      if (batch && batch->batch().rows() > 0) slices.push_back(take(std::move(batch)));
    }
    if (slice_.objects > 0 || slice_.dead_letters) slices.push_back(take(nullptr));
    return slices;
  }

 private:
  static constexpr std::uint64_t kObjectsAtOnce = 512;
  static constexpr std::uint64_t kBytesAtOnce = std::uint64_t{16} << 20;

  Slice take(std::unique_ptr<records::RawBatch> rows) {
    Slice slice = std::exchange(slice_, Slice());
    slice.rows = std::move(rows);
    return slice;
  }

  const BatchOptions& options_;
  std::array<std::unique_ptr<records::RawBatch>, records::kKinds.size()> rows_;
  Slice slice_;
  sink::ObjectUnpacker unpacker_;
};

ObjectReader::ObjectReader(objects::ObjectStore& store, const std::vector<SunkObject>& objects,
                           const BatchOptions& options)
    : store_(store),
      objects_(objects),
      options_(options),
      slices_(static_cast<std::size_t>(std::max(options.readers, 1))),
      running_(std::max(options.readers, 1)) {
  const int readers = running_;
  for (int i = 0; i < readers; ++i) threads_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
}

ObjectReader::~ObjectReader() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void ObjectReader::work(std::stop_token stop) {
  Worker worker(options_);
  const Result<void> done = read_all(worker, stop);
  if (!done) {
    const std::scoped_lock lock(error_mutex_);
    if (!error_) error_ = done.error();
    next_object_ = objects_.size();  // The others finish what they have begun.
  }
  if (--running_ == 0) slices_.close();
}

Result<void> ObjectReader::read_all(Worker& worker, std::stop_token stop) {
  const auto hand_over = [&](Slice slice) -> Result<void> {
    if (!slices_.push(std::move(slice), stop)) return fail(ErrorCode::kCancelled, "reading objects was stopped");
    return {};
  };
  for (std::size_t i = next_object_++; i < objects_.size() && !stop.stop_requested(); i = next_object_++) {
    const SunkObject& object = objects_[i];
    TRY(read_one(worker, i));
    if (auto slice = worker.full(object.kind)) TRY(hand_over(*std::move(slice)));
  }
  for (Slice& slice : worker.rest()) TRY(hand_over(std::move(slice)));
  return {};
}

Result<void> ObjectReader::read_one(Worker& worker, std::size_t place) {
  const SunkObject& object = objects_[place];
  const auto named = [&](Error error) {
    return fail(std::move(error).with_context(fmt::format("reading object {}", object.info.name)));
  };
  auto bytes = store_.get(object.info.name);
  if (!bytes) return named(std::move(bytes).error());
  const auto text = worker.unpacker().lines(object.name, *std::move(bytes));
  // Another tool's object under a name of the sink's is left alone; a damaged one is not to be passed over.
  if (!text && text.error().code != ErrorCode::kInvalid) return named(text.error());
  const auto lines = text ? read_lines(object, *text, worker.rows(object.kind), worker.dead_letters())
                          : Result<std::uint64_t>(fail(text.error()));
  if (lines) {
    worker.count(place, object, text->size(), *lines);
  } else {
    worker.skip(place, lines.error().message);
  }
  return {};
}

Result<std::optional<Slice>> ObjectReader::next(std::stop_token stop) {
  std::optional<Slice> slice = slices_.pop(stop);
  const std::scoped_lock lock(error_mutex_);
  if (error_) return fail(*error_);
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the batch run was stopped");
  return slice;
}

}  // namespace pinflow::batch::internal
