#pragma once

#include <stop_token>
#include <utility>

#include "base/clock.h"
#include "base/logger.h"
#include "log/log.h"
#include "objects/object_store.h"
#include "sink/internal/worker.h"
#include "sink/sink.h"

namespace pinflow::sink::testing {

// A sink without thread, for tests that decide when it works. What it takes must outlive it.
class SteppedSink final {
 public:
  SteppedSink(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger)
      : log_(log), worker_(std::move(options), log, store, clock, logger) {
    stopped_.request_stop();  // Fetches answer at once with what they have.
  }

  // Fetches and puts what is full or due.
  void turn() { step({}); }
  // Puts all that a partition of the log has.
  void turn_to_the_end(const log::TopicPartition& partition) { step({{partition, log_.offsets(partition)->end}}); }

 private:
  void step(const internal::Targets& targets) {
    worker_.work(targets);
    worker_.fetch(targets, stopped_.get_token());
    worker_.work(targets);
  }

  log::Log& log_;
  std::stop_source stopped_;
  internal::Worker worker_;
};

}  // namespace pinflow::sink::testing
