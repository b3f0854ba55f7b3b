#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "disk/disk.h"
#include "log/internal/partition_state.h"
#include "log/log.h"
#include "log/verify.h"

namespace pinflow::log {

// Bytes of a segment that hold no readable batch, or, without length, a place where records are missing.
struct BadStretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string cause;
};

struct SegmentInspection {
  Offset base;
  std::optional<Offset> named_end;  // Of a rewritten one.
  disk::Path path;
  bool last = false;
  Offset end;              // One past its last readable record, or what its name says.
  std::uint64_t size = 0;  // Up to the end of its last readable batch.
  std::uint64_t torn = 0;  // Bytes of an unfinished write behind that.
  std::vector<BadStretch> bad;
  std::string unreadable;  // Why the disk does not give it; empty when it does.
};

struct PartitionInspection {
  std::int32_t id = 0;
  disk::Path folder;
  bool missing = false;
  std::optional<PartitionState> state;  // None: damaged.
  std::string state_error;
  std::vector<SegmentInspection> segments;                     // By base; those that count.
  std::vector<std::pair<disk::Path, std::string>> bad_beside;  // Indexes and the like, each with the cause.
};

struct TopicInspection {
  disk::Path folder;
  std::optional<Topic> topic;  // None: the manifest cannot be read.
  std::string manifest_error;
  std::vector<PartitionInspection> partitions;
};

struct LogInspection {
  std::vector<TopicInspection> topics;
  std::vector<std::string> journal_damage;
  VerifyReport counts;  // Without findings.
};

// Reads all of a log. kNotFound: there is none. kInvalid: a newer format. Changes nothing.
Result<LogInspection> inspect_log(const disk::Path& folder, disk::Disk& disk);

// Walks one segment with all its records. Errors of the disk are in the answer.
SegmentInspection inspect_segment(disk::Disk& disk, SegmentInspection segment, VerifyReport& counts);

// Where the records of a topic lie that has no readable manifest: its name and id as the folder's name tells them.
std::optional<Topic> topic_of_folder(disk::Disk& disk, const disk::Path& folder);

}  // namespace pinflow::log
