#pragma once

#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::log {

// Gives out producer ids, none twice, also across restarts: the file producer.ids (docs/formats/log.md) says below which all may be
// given out, and moves on in steps of a thousand before they are. A damaged file is no reason to stop: it is replaced by one that
// begins behind every id that counting can have reached. Safe from any thread. The references must outlive it.
class ProducerIds final {
 public:
  ProducerIds(disk::Disk& disk, const Clock& clock, Logger& logger, disk::Path path)
      : disk_(disk), clock_(clock), logger_(logger), path_(std::move(path)) {}

  // The first of each thousand waits for the disk, whose errors it gives.
  Result<std::int64_t> next();

 private:
  Result<std::int64_t> stored() const;

  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  const disk::Path path_;
  std::mutex mutex_;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;  // Below this the disk knows.
};

}  // namespace pinflow::log
