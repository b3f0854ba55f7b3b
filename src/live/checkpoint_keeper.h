#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/logger.h"
#include "disk/disk.h"

namespace pinflow::live {

struct CheckpointOptions {
  disk::Path folder;                           // Made where it is missing.
  std::chrono::milliseconds interval{10'000};  // Between two, while there is news ...
  std::uint64_t records = 1'000'000;           // ... or after so many records.
};

struct CheckpointStatus {
  std::uint64_t written = 0;
  std::uint64_t bytes = 0;             // Of the last one.
  std::optional<std::string> error{};  // Why the last one was not written, if it was not.
};

// Decides when the state is saved, and writes it on a thread of its own, so that reading goes on beside the disk. One state waits at
// most. When it is stopped or destroyed, what waits is written. A failure is told once and tried again with the next state. The methods
// but status() are the reader's, which is one thread; disk, clock and logger must outlive it.
class CheckpointKeeper final {
 public:
  CheckpointKeeper(CheckpointOptions options, disk::Disk& disk, const Clock& clock, Logger& logger);
  ~CheckpointKeeper();
  CheckpointKeeper(const CheckpointKeeper&) = delete;
  CheckpointKeeper& operator=(const CheckpointKeeper&) = delete;

  // Reads the last one. Empty: there is none, or none of use, which is told.
  std::optional<std::string> read() const;

  void note_records(std::uint64_t records) { news_ += records; }
  bool has_news() const { return news_ > 0; }
  // Whether the state should be saved now: there is news, it is time, and the last one is on disk. Saving may take a twentieth of the
  // time: a large state is saved less often.
  bool is_due();
  // Takes the state, which took `took` to save.
  void write(std::string state, std::chrono::nanoseconds took);

  CheckpointStatus status() const;

  // Writes what waits and joins the thread. What is handed over afterwards is not written.
  void stop();

 private:
  void run(const std::stop_token& stop);
  void write_now(const std::string& state);

  const CheckpointOptions options_;
  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  std::uint64_t news_ = 0;
  SteadyTime earliest_ = SteadyTime::min();
  SteadyTime next_;

  mutable std::mutex mutex_;
  std::condition_variable_any handed_;
  // State below is protected by mutex_.
  std::optional<std::string> waiting_;
  bool writing_ = false;
  CheckpointStatus status_;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::live
