#include "live/checkpoint_keeper.h"

#include "live/checkpoint.h"

namespace pinflow::live {

namespace {
constexpr int kShareOfTime = 20;
}

CheckpointKeeper::CheckpointKeeper(CheckpointOptions options, disk::Disk& disk, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      disk_(disk),
      clock_(clock),
      logger_(logger),
      next_(clock.steady_now() + options_.interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

CheckpointKeeper::~CheckpointKeeper() {
  stop();
}

void CheckpointKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::optional<std::string> CheckpointKeeper::read() const {
  auto state = read_checkpoint(disk_, options_.folder);
  if (state) return std::move(*state);
  if (state.error().code != ErrorCode::kNotFound) {
    logger_.warning("the checkpoint of the live metrics is of no use: they read the streams from the beginning",
                    {{"folder", options_.folder.string()}, {"error", state.error().message}});
  }
  return std::nullopt;
}

bool CheckpointKeeper::is_due() {
  const SteadyTime now = clock_.steady_now();
  if (news_ == 0 || now < earliest_ || (news_ < options_.records && now < next_)) return false;
  const std::scoped_lock lock(mutex_);
  return !waiting_ && !writing_;
}

void CheckpointKeeper::write(std::string state, std::chrono::nanoseconds took) {
  news_ = 0;
  earliest_ = clock_.steady_now() + took * kShareOfTime;
  next_ = std::max(earliest_, clock_.steady_now() + options_.interval);
  {
    const std::scoped_lock lock(mutex_);
    waiting_ = std::move(state);
  }
  handed_.notify_one();
}

void CheckpointKeeper::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (handed_.wait(lock, stop, [&] { return waiting_.has_value(); })) {
    const std::string state = std::move(*waiting_);
    waiting_.reset();
    writing_ = true;
    lock.unlock();
    write_now(state);
    lock.lock();
    writing_ = false;
  }
}

void CheckpointKeeper::write_now(const std::string& state) {
  Result<void> written = disk_.create_folders(options_.folder);
  if (written) written = write_checkpoint(disk_, options_.folder, state);
  const std::scoped_lock lock(mutex_);
  if (written) {
    ++status_.written;
    status_.bytes = state.size();
    status_.error.reset();
    return;
  }
  if (!status_.error) {
    logger_.error("live metrics cannot save their state and try again with the next",
                  {{"folder", options_.folder.string()}, {"error", written.error().message}});
  }
  status_.error = written.error().message;
}

CheckpointStatus CheckpointKeeper::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

}  // namespace pinflow::live
