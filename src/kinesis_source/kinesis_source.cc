#include "kinesis_source/kinesis_source.h"

#include <mutex>
#include <thread>
#include <utility>

#include "base/wakeup.h"

namespace pinflow::kinesis_source {

struct KinesisSource::Stream {
  Stream(StreamCopyOptions options, KinesisApi& kinesis, log::Log& log, disk::Disk& disk, const Clock& clock,
         Logger& logger)
      : copy(std::move(options), kinesis, log, disk, clock, logger),
        status(copy.status()),
        thread([this, &clock, &logger](const std::stop_token& stop) { run(clock, logger, stop); }) {}

  void run(const Clock& clock, Logger& logger, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const SteadyTime next = copy.step(stop);
      {
        const std::scoped_lock lock(mutex);
        status = copy.status();
      }
      const auto pause = std::chrono::ceil<std::chrono::milliseconds>(next - clock.steady_now());
      if (pause.count() > 0) Wakeup::wait(pause, stop);
    }
    if (const auto saved = copy.save(); !saved)
      logger.warning("the positions in Kinesis were not saved; the next start reads the end of the topics again",
                     {{"stream", copy.status().stream}, {"why", saved.error().message}});
  }

  StreamCopy copy;  // The thread's.
  mutable std::mutex mutex;
  StreamCopyStatus status;
  std::jthread thread;  // Last: it uses the rest.
};

KinesisSource::KinesisSource(const KinesisSourceOptions& options, KinesisApi& kinesis, log::Log& log, disk::Disk& disk,
                             const Clock& clock, Logger& logger) {
  for (const std::string& stream : options.streams) {
    streams_.push_back(std::make_unique<Stream>(StreamCopyOptions{.stream = stream, .folder = options.folder}, kinesis,
                                                log, disk, clock, logger));
  }
}

KinesisSource::~KinesisSource() {
  for (const auto& stream : streams_) stream->thread.request_stop();
}

std::vector<StreamCopyStatus> KinesisSource::status() const {
  std::vector<StreamCopyStatus> all;
  for (const auto& stream : streams_) {
    const std::scoped_lock lock(stream->mutex);
    all.push_back(stream->status);
  }
  return all;
}

}  // namespace pinflow::kinesis_source
