#include "batch/batch_job.h"

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/uuid.h"
#include "batch/internal/batch_run.h"
#include "batch/run_ledger.h"

namespace pinflow::batch {

BatchJob::BatchJob(const BatchContext& context, BatchOptions options)
    : context_(context), options_(std::move(options)) {}

Result<BatchReport> BatchJob::run(Progress* progress, std::stop_token stop) {
  TRY(context_.disk.create_folders(context_.state / "batch"));
  auto lock = context_.disk.lock_folder(context_.state / "batch");
  if (!lock) {
    const bool busy = lock.error().code == ErrorCode::kConflict;
    return fail(std::move(lock).error().with_context(busy ? "another batch run is at work; wait for it to end"
                                                          : "locking the batch's state"));
  }
  const Clock& clock = context_.tables.clock;
  BatchReport report;
  report.run_id = Uuid::random(context_.tables.random).to_string();
  report.label = options_.label;
  report.started = clock.now();
  const SteadyTime begin = clock.steady_now();
  const Result<void> done = internal::BatchRun(context_, options_, progress, std::move(stop), report).all();
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - begin);
  const auto error = done ? std::nullopt : std::optional(done.error());
  // The tables are what counts: a ledger that cannot be written fails no run.
  if (const auto kept = append_to_ledger(context_.disk, context_.state, ledger_line(report, error)); !kept) {
    context_.tables.logger.error("the batch run is not in the ledger",
                                 {{"run", report.run_id}, {"error", kept.error().message}});
  }
  if (error) return fail(*error);
  return report;
}

}  // namespace pinflow::batch
