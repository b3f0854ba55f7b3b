#include "sink/sink.h"

#include <algorithm>
#include <atomic>

#include "log/reader_progress.h"
#include "sink/internal/worker.h"

namespace pinflow::sink {

Result<void> check(const SinkOptions& options) {
  TRY(TopicFilter::make(options.topics, options.topics_regex));
  TRY(Partitioner::make(options.partitioner));
  if (options.flush_size < 1) return fail(ErrorCode::kInvalid, "the flush size is at least 1");
  const NameForm& names = options.names;
  const bool plain_delimiter = names.delimiter == "+" || names.delimiter == "-" || names.delimiter == "_" ||
                               names.delimiter == "." || names.delimiter == "=" || names.delimiter == "~";
  if (!plain_delimiter) return fail(ErrorCode::kInvalid, "the file delimiter is one of + - _ . = ~");
  if (names.pad < 0 || names.pad > 10) return fail(ErrorCode::kInvalid, "offsets are padded to 0 to 10 digits");
  if (names.topics_dir.starts_with('/') || names.topics_dir.ends_with('/') || names.topics_dir.starts_with('.') ||
      names.topics_dir.contains("/.") || names.topics_dir.contains("//") || names.topics_dir.starts_with("pinflow"))
    return fail(
        ErrorCode::kInvalid,
        "the topics folder is a path such as 'topics' or 'raw/topics', without '/' at its ends, hidden parts, or "
        "'pinflow' at its beginning");
  const bool snappy_json = options.format == Format::kJson && options.compression == Compression::kSnappy;
  if (snappy_json) return fail(ErrorCode::kInvalid, "JSON is compressed with gzip or zstd");
  return {};
}

struct Sink::State {
  State(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger,
        log::Share* share)
      : worker(std::move(options), log, store, clock, logger, share) {}

  internal::Worker worker;  // The thread's own.

  log::ReaderProgress progress;
  std::atomic<bool> reassigned = false;  // The share changed since the thread looked.

  mutable std::mutex mutex;
  SinkStatus status;  // Protected by mutex.
};

Sink::Sink(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger,
           log::Share* share)
    : log_(log),
      filter_(*TopicFilter::make(options.topics, options.topics_regex)),
      state_(std::make_unique<State>(std::move(options), log, store, clock, logger, share)),
      thread_([this](std::stop_token stop) { work(std::move(stop)); }) {
  if (share == nullptr) return;
  watch_.emplace(*share, [this] {
    state_->reassigned = true;
    wakeup_.notify();
  });
}

Sink::~Sink() = default;

void Sink::work(std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { wakeup_.notify(); });
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    const std::stop_token wake = wakeup_.arm();
    if (stop.stop_requested()) break;
    const auto wishes = state_->progress.wishes();
    if (wishes.ticket != seen || state_->reassigned.exchange(false)) state_->worker.hurry();
    seen = wishes.ticket;
    state_->worker.work(wishes.targets);
    {
      const std::scoped_lock lock(state_->mutex);
      state_->status = state_->worker.status();
    }
    state_->progress.publish(state_->worker.places(), seen);
    state_->worker.fetch(wishes.targets, wake);
  }
}

Result<void> Sink::flush(std::chrono::milliseconds timeout, std::stop_token stop) {
  TRY_ASSIGN(const auto targets,
             log::end_offsets(log_, [&](const std::string& topic) { return filter_.accepts(topic); }));
  return state_->progress.wait("the sink", targets, wakeup_, timeout, stop);
}

SinkStatus Sink::status_without_lag() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->status;
}

SinkStatus Sink::status() const {
  SinkStatus status = status_without_lag();
  for (PartitionStatus& partition : status.partitions) {
    if (const auto range = log_.offsets(partition.partition))
      partition.lag = std::max<std::int64_t>(0, range->end - partition.next);
  }
  return status;
}

}  // namespace pinflow::sink
