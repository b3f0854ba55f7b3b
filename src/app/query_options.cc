#include "app/query_options.h"

#include <algorithm>

namespace pinflow::app {

query::RunnerOptions query_options(const Environment& environment) {
  const auto& config = environment.config().sql;
  query::RunnerOptions options;
  options.limits.time = config.query_time;
  options.limits.rows = static_cast<std::uint64_t>(std::max<std::int64_t>(config.query_rows, 1));
  options.limits.answer = config.query_answer;
  options.limits.memory = config.query_memory;
  options.limits.threads = std::max(config.threads, 1);
  options.scratch = environment.folder("state") / "queries";
  // The second holds copies of files of tables that lie in S3.
  options.folders = {environment.folder("tables"), environment.folder("state") / "s3"};
  return options;
}

}  // namespace pinflow::app
