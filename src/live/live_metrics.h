#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "disk/disk.h"
#include "live/checkpoint_keeper.h"
#include "live/condensed_intake.h"
#include "live/intake.h"
#include "live/live_answers.h"
#include "live/live_query.h"
#include "live/live_state.h"
#include "log/log.h"
#include "log/position_keeper.h"

namespace pinflow::live {

struct LiveOptions {
  // Topics or streams of records, each named after its kind (records::kind_of); one that is not there yet is waited for.
  std::vector<std::string> topics;
  // Where it is given, the streams are read from it, as others condense them (live/condenser.h).
  std::optional<CondensedTopic> condensed{};
  records::Names names{};  // Of the condensed streams.
  // A partition of which nobody wrote a mark so long is shown with an error.
  std::chrono::milliseconds mark_silence{30'000};
  StateOptions state{};
  std::optional<CheckpointOptions> checkpoint{};  // None: each start reads the topics from their beginning.
  // Without a checkpoint the state of condensed streams begins with this one of the streams themselves, if it is there: a log that
  // became a cluster's (`pinflow migrate`).
  std::optional<disk::Path> earlier_checkpoint{};
  std::chrono::milliseconds idle_after{60'000};  // A partition that is read to its end and silent so long is idle.
  std::string group =
      "pinflow-live";  // Its positions in the log show the lag; they decide nothing. Of streams that are read themselves.
  std::chrono::milliseconds max_wait{1'000};    // How long one fetch may wait; a new partition is seen within it.
  std::chrono::milliseconds least_retry{100};   // After a failure, and while a topic is not there;
  std::chrono::milliseconds most_retry{1'000};  // doubled until this.
};

struct LiveStatus {
  std::vector<PartitionProgress> partitions{};  // Sorted.
  std::uint64_t posts = 0;                      // Counted.
  std::uint64_t repeats = 0;                    // Records of a kind that had come for their post already.
  std::uint64_t without_profile = 0;            // Posts without name, with the sentinel, or with one too long.
  std::uint64_t unreadable = 0;                 // No record of their kind: the stream lane dead-letters them.
  std::uint64_t late = 0;                       // Over all partitions.
  std::uint64_t too_late = 0;
  std::uint64_t joined = 0;  // Posts of which all three records came.
  std::size_t pending = 0;   // Posts of which they did not yet.
  std::size_t profiles = 0;
  std::size_t categories = 0;
  std::size_t countries = 0;
  std::size_t pairs = 0;      // Of profiles with categories and countries, and of these.
  std::uint64_t evicted = 0;  // Profiles let go for want of room ...
  std::uint64_t evicted_pending = 0;
  std::uint64_t evicted_names = 0;  // ... categories and countries ...
  std::uint64_t evicted_pairs = 0;
  std::uint64_t forgotten_pages = 0;  // ... and pages of 512 ids.
  CheckpointStatus checkpoint{};
};

// Keeps a LiveState up to date from the log: a thread of its own reads the topics and then waits for news, so a post is in the
// answers some milliseconds after its acknowledgement. With a checkpoint the state is saved with its offsets every some seconds and at
// a clean stop, and a start goes on from there; a checkpoint that is damaged or of another version is told and passed over, and
// the topics are read from their beginning. A record's time is that of the log, but never later than now. Records that cannot be
// read are counted and passed over. All methods are safe from any thread; a question holds the reader up while it is answered (3 ms for
// 100,000 profiles), saving the state holds no question up. What is passed to the constructor must outlive it.
class LiveMetrics final : public LiveAnswers {
 public:
  // `disk` is used for checkpoints alone. Reads the last checkpoint.
  LiveMetrics(LiveOptions options, log::Log& log, disk::Disk& disk, const Clock& clock, Logger& logger);
  ~LiveMetrics() override;
  LiveMetrics(const LiveMetrics&) = delete;
  LiveMetrics& operator=(const LiveMetrics&) = delete;

  std::vector<Answer> answer_all(std::span<const Query> queries) override;
  Answer answer(const Query& query);

  std::uint64_t version() const override { return version_.load(std::memory_order_relaxed); }
  Weights weights() const override { return options_.state.profiles.weights; }
  LiveStatus status() const;

  // Waits until all records of the partition before `end` are in the answers. False: not within `timeout`, or
  // stopped.
  bool wait_until(const log::TopicPartition& partition, log::Offset end, std::chrono::milliseconds timeout);

  // Stops reading, saves the state and joins the threads; answers are still given, from what was read.
  void stop();

 private:
  class Reader;

  std::unique_ptr<Intake> make_intake();
  void load_state(disk::Disk& disk);
  bool goes_on(const disk::Path& folder, const Result<void>& loaded);  // If not, with a new intake.
  std::vector<PartitionProgress> progress_now() const;                 // With mutex_ held.
  Head complete(Head head) const;

  const LiveOptions options_;
  log::Log& log_;
  const Clock& clock_;
  Logger& logger_;
  std::unique_ptr<log::PositionKeeper> positions_;  // None: those who condense the streams tell theirs.
  std::unique_ptr<CheckpointKeeper> checkpoints_;   // None: no checkpoints.
  std::atomic<std::uint64_t> version_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // State below is protected by mutex_. The reader's thread alone changes *intake_, so it may look at it without.
  std::unique_ptr<Intake> intake_;
  std::vector<ShownPartition> shown_;  // Sorted.
  bool stopped_ = false;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::live
