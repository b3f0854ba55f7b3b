#pragma once

#include <functional>
#include <string_view>

#include "access/caller.h"
#include "base/clock.h"
#include "base/logger.h"
#include "doors/worker_pool.h"
#include "http/router.h"
#include "schedule/rules.h"
#include "schedule/run_store.h"

namespace pinflow::schedule {

// The schedule and its runs over HTTP (docs/schedule.md). Reading needs the right to query, changing that to administer. What is asked for
// is an event of the history before it is answered (202: a Scheduler runs it), and `wake` tells the Scheduler. A thread of its own reads and
// writes the history; kMaxWaiting requests wait, more get 503 with Retry-After. All that is given must outlive it, and it the router's use.
class RunRoutes final {
 public:
  static constexpr std::size_t kMaxWaiting = 64;
  static constexpr std::size_t kMaxRunsOfAnswer = 1'000;
  static constexpr std::size_t kMaxQueuedAtOnce = 366;  // By one backfill: each is a file that is synced.

  RunRoutes(RunStore& store, const Rules& rules, const Clock& clock, Logger& logger, std::function<void()> wake);

  void add_to(http::Router& router);

 private:
  using Answering = Result<http::Response> (RunRoutes::*)(const http::Request&);

  void add(http::Router& router, std::string_view method, std::string_view pattern, Answering answering);
  Result<http::Response> list(const http::Request& request);
  Result<http::Response> one(const http::Request& request);
  Result<http::Response> start(const http::Request& request);
  Result<http::Response> retry(const http::Request& request);
  Result<http::Response> show(const http::Request& request);
  Result<http::Response> pause(const http::Request& request);
  Result<http::Response> resume(const http::Request& request);
  Result<http::Response> backfill(const http::Request& request);
  Result<http::Response> schedule_now(int times);
  Result<http::Response> run_of(std::uint64_t id, int status);
  Result<http::Response> set_paused(const http::Request& request, bool paused);

  RunStore& store_;
  const Rules& rules_;
  const Clock& clock_;
  Logger& logger_;
  const std::function<void()> wake_;
  doors::WorkerPool pool_;  // Last, so that it ends before what its jobs use.
};

}  // namespace pinflow::schedule
