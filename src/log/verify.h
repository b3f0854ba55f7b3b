#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::log {

// Something in a log's folder that is not as it should be.
struct Finding {
  std::string topic;            // Empty: of the log as a whole, or of a topic whose name cannot be read.
  std::int32_t partition = -1;  // -1: of the topic as a whole.
  disk::Path file;
  std::uint64_t position = 0;  // In the file.
  bool damage = true;          // False: nothing is lost, the next start puts it right.
  std::string what;
  std::string consequence;
  std::string remedy;
  friend bool operator==(const Finding&, const Finding&) = default;
};

struct VerifyReport {
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // Of all segments.
  bool in_use = false;      // Another process has the log open: its writes under way may look like unfinished ends.
  std::vector<Finding> findings;

  bool damaged() const;
};

// Looks at every byte of a log: manifests, states, each batch's checksum, order and records, indexes, positions of groups. Changes
// nothing. kNotFound: there is no log. kInvalid: it is of a newer format.
Result<VerifyReport> verify_log(const disk::Path& folder, disk::Disk& disk);

// One thing that repair does or would do.
struct RepairStep {
  std::string topic;
  std::int32_t partition = -1;
  std::string what;
};

struct RepairReport {
  std::vector<RepairStep> steps;
  std::vector<Finding> left;  // Damage that only a copy from elsewhere can mend.
};

enum class RepairMode {
  kPlan,  // Says what would be done.
  kDo,
};

// Makes a damaged log one that opens without damage and takes records again. Damaged bytes are copied to the folder `damaged` in
// that of the log, each with a note of its place and cause, before anything is changed; records that can be read stay, with their
// offsets; offsets of what is lost stay empty. What is sound is not touched. Interrupted at any moment, it can be run again.
// kConflict: another process has the log open. Errors of the disk end it.
Result<RepairReport> repair_log(const disk::Path& folder, disk::Disk& disk, RepairMode mode);

}  // namespace pinflow::log
