#include "batch/batch_job.h"

#include <memory>
#include <utility>

#include "base/uuid.h"
#include "batch/internal/batch_run.h"

namespace pinflow::batch {

BatchJob::BatchJob(const BatchContext& context, BatchOptions options)
    : context_(context), options_(std::move(options)) {}

Result<BatchReport> BatchJob::run(Progress* progress, std::stop_token stop) {
  report_ = {};
  TRY(context_.disk.create_folders(context_.state / "batch"));
  auto lock = context_.disk.lock_folder(context_.state / "batch");
  if (!lock) {
    const bool busy = lock.error().code == ErrorCode::kConflict;
    return fail(std::move(lock).error().with_context(busy ? "another batch run is at work; wait for it to end"
                                                          : "locking the batch's state"));
  }
  const Clock& clock = context_.tables.clock;
  report_.run_id = Uuid::random(context_.tables.random).to_string();
  report_.started = clock.now();
  const SteadyTime begin = clock.steady_now();
  const Result<void> done = internal::BatchRun(context_, options_, progress, std::move(stop), report_).all();
  report_.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - begin);
  if (!done) return fail(done.error());
  return report_;
}

}  // namespace pinflow::batch
