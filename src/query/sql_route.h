#pragma once

#include "doors/worker_pool.h"
#include "http/router.h"
#include "query/query_runner.h"

namespace pinflow::query {

// POST /sql: one statement as JSON {"sql", "as_of"} or as text/plain; the answer as JSON, CSV or Parquet as Accept (or ?format=) asks.
// Needs the right to query. kAtOnce statements run, kMaxWaiting wait; more get 503 with Retry-After. `runner` must outlive it, and it
// the router's use.
class SqlRoute final {
 public:
  static constexpr std::size_t kAtOnce = 2;
  static constexpr std::size_t kMaxWaiting = 16;

  explicit SqlRoute(QueryRunner& runner) : runner_(runner), pool_(kAtOnce, kMaxWaiting) {}
  ~SqlRoute() { stop_.request_stop(); }  // The statements that run are ended.
  SqlRoute(const SqlRoute&) = delete;
  SqlRoute& operator=(const SqlRoute&) = delete;

  void add_to(http::Router& router);

 private:
  void ask(http::Request request, http::Responder respond);

  QueryRunner& runner_;
  std::stop_source stop_;
  doors::WorkerPool pool_;  // Last, so that it ends before what its jobs use.
};

}  // namespace pinflow::query
