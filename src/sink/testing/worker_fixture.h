#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/logger.h"
#include "log/testing/memory_log.h"
#include "sink/internal/worker.h"
#include "sink/testing/faults.h"
#include "sink/testing/memory_store.h"

namespace pinflow::sink::testing {

// A sink without thread over a log and a store in memory, both of which a fuse can cut off.
class WorkerFixture : public ::testing::Test {
 protected:
  // Fetches answer at once with what they have.
  WorkerFixture() { stopped_.request_stop(); }

  // A new process over the same log and store.
  void start(const SinkOptions& options) { worker_.emplace(options, fused_log_, fused_store_, clock_, logger_); }
  void turn(internal::Worker& worker, const internal::Targets& targets) {
    worker.work(targets);
    worker.fetch(targets, stopped_.get_token());
    worker.work(targets);
  }
  void turn(int times = 1) {
    for (int i = 0; i < times; ++i) turn(*worker_, targets_);
  }

  log::MemoryLog log_;
  MemoryStore store_;
  Fuse fuse_;
  FusedLog fused_log_{log_, fuse_};
  FusedStore fused_store_{store_, fuse_};
  ManualClock clock_;
  NullLogger logger_;
  std::stop_source stopped_;
  internal::Targets targets_;
  std::optional<internal::Worker> worker_;
};

}  // namespace pinflow::sink::testing
