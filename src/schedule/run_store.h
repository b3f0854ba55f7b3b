#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "disk/disk.h"
#include "schedule/history.h"

namespace pinflow::schedule {

// The history in few numbers.
struct RunStatus {
  std::array<std::uint64_t, kStates.size()> runs{};        // By state.
  std::optional<WallTime> last_success;                    // When it ended.
  std::optional<std::chrono::milliseconds> last_duration;  // Of the last attempt that ended.
  bool paused = false;
};

// The history of runs in a folder, kept for ever, shared by any number of processes (docs/formats/schedule.md). Each event is a file that
// is put only where it is missing: of several who want to be next exactly one succeeds, and the others decide anew. So a run is claimed
// once however many schedulers there are. Every kPack events become one file; what was packed is not read again, so a step costs the
// same however long the history is. Whoever claims holds the lock of a folder of its own, which the system frees when it dies.
// Safe from any thread. `disk` and `clock` must outlive it.
class RunStore final {
 public:
  static constexpr std::uint64_t kPack = 256;

  // Opens the history, making the folder where it is missing, and takes an owner's name for this process.
  static Result<std::unique_ptr<RunStore>> open(const disk::Path& folder, disk::Disk& disk, const Clock& clock,
                                                Random& random);
  ~RunStore();

  // The history as it is now. kCorrupt: a file is damaged (named).
  Result<History> read();
  // The same without a copy: `with` is called once, before this returns, and must not call the store.
  Result<void> look(const std::function<void(const History&)>& with);
  // As of the last time that anybody read or added here. From memory: never waits for the disk.
  RunStatus status() const;
  // Adds what `decide` makes of the history: asked again whenever somebody else was first. It fills in all but number, time and owner.
  // Success means that the event survives power loss. Gives the event as it was put; an error of `decide` is passed on.
  Result<Event> add(const std::function<Result<Event>(const History&)>& decide);
  // Ends the running run as interrupted if its owner died, to be tried again as its owner would have. True: one was. To be called only by
  // who runs none itself: a run that is said to run here is then one whose claim or end the disk did not confirm.
  Result<bool> end_dead_run();

  const std::string& owner() const { return owner_; }

 private:
  RunStore(disk::Path folder, disk::Disk& disk, const Clock& clock);
  Result<void> catch_up();
  Result<void> take(const disk::Path& file, std::uint64_t events);
  void tell_status();
  Result<bool> put(const Event& event);
  Result<void> pack();
  Result<bool> is_dead(const std::string& owner);
  disk::Path event_file(std::uint64_t number) const;
  disk::Path pack_file(std::uint64_t number) const;  // The one that has this event.

  const disk::Path folder_;
  disk::Disk& disk_;
  const Clock& clock_;
  std::string owner_;
  std::mutex mutex_;  // Guards all below.
  History history_;
  std::unique_ptr<disk::FolderLock> lock_;
  mutable std::mutex status_mutex_;  // Guards status_ alone, and is never held long.
  RunStatus status_;
};

}  // namespace pinflow::schedule
