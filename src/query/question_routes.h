#pragma once

#include "batch/published.h"
#include "doors/worker_pool.h"
#include "http/router.h"
#include "objects/object_store.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::query {

// The answers of the batch over HTTP (docs/sql.md): GET /questions, GET /questions/{name}[.json|.csv|.parquet], GET /checks. Each
// answer is of one published run, never of two; ETag names run and version, so who has it gets 304. Needs the right to query. Two
// threads read the tables; kMaxWaiting requests wait, more get 503 with Retry-After. All that is given must outlive it, and it the
// router's use.
class QuestionRoutes final {
 public:
  static constexpr std::size_t kMaxWaiting = 64;

  QuestionRoutes(objects::ObjectStore& tables, sql::Engine& engine, const sql::Statements& statements)
      : tables_(tables), engine_(engine), statements_(statements), pool_(2, kMaxWaiting) {}

  void add_to(http::Router& router);

 private:
  using Answering = http::Response (QuestionRoutes::*)(const http::Request&);

  void add(http::Router& router, std::string_view pattern, Answering answering);
  http::Response list(const http::Request& request);
  http::Response one(const http::Request& request);
  http::Response checks(const http::Request& request);

  objects::ObjectStore& tables_;
  sql::Engine& engine_;
  const sql::Statements& statements_;
  doors::WorkerPool pool_;  // Last, so that it ends before what its jobs use.
};

}  // namespace pinflow::query
