#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "aws/http.h"
#include "batch/remote_engine.h"

namespace pinflow::spark {

struct DatabricksOptions {
  std::string host = {};  // https://adb-1.azuredatabricks.net, without a slash at the end.
  std::function<Result<std::string>()> token =
      {};                                 // Asked before each call, for tokens are replaced while a run goes on.
  std::string cluster = {};               // existing_cluster_id; else:
  std::string new_cluster = {};           // The JSON object of a cluster that is made for the run.
  std::string objects = {}, tables = {};  // Their addresses as Databricks reads them, without a slash at the end.
  std::chrono::milliseconds poll{5'000};  // Between two questions for the run's state; the API has none that waits.
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> pause =
      {};  // Sleeps so long, or until stopped.
};

// Runs the driver as a one-time run of the Databricks Jobs API 2.1 (jobs/runs/submit, get, get-output, cancel). The run's id is the idempotency
// token, so a submission whose answer was lost starts no second run. Owned by one thread; `http` outlives it. Made by the public
// documentation of the API; no Databricks was ever seen.
std::unique_ptr<batch::RemoteEngine> make_databricks_engine(aws::HttpTransport& http, DatabricksOptions options);

}  // namespace pinflow::spark
