#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "disk/disk.h"

namespace pinflow::access::internal {

// Tells whether a small file may have become another since it was read: by its size and time of change, looked at when somebody asks
// and at most once in kPause, so a busy server pays one look a second and an idle one none. Not thread-safe. `disk` and
// `clock` must outlive it.
class WatchedFile final {
 public:
  static constexpr std::chrono::seconds kPause{1};

  WatchedFile(disk::Path path, disk::Disk& disk, const Clock& clock)
      : path_(std::move(path)), disk_(disk), clock_(clock) {}

  const disk::Path& path() const { return path_; }
  // `at_once` looks although the last look was just now. True once a change; the first time it is asked, true. Read the file after it.
  bool changed(bool at_once) {
    const SteadyTime now = clock_.steady_now();
    if (looked_ && !at_once && now - *looked_ < kPause) return false;
    looked_ = now;
    const auto entry = disk_.describe(path_);
    std::optional<disk::Entry> seen;
    if (entry) seen = *entry;
    if (known_ && seen == seen_) return false;
    known_ = true;
    seen_ = std::move(seen);
    return true;
  }

 private:
  const disk::Path path_;
  disk::Disk& disk_;
  const Clock& clock_;
  std::optional<SteadyTime> looked_;
  bool known_ = false;
  std::optional<disk::Entry> seen_;  // None: it is missing.
};

}  // namespace pinflow::access::internal
