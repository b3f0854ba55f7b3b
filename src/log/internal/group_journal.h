#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "base/uuid.h"
#include "disk/disk.h"
#include "log/embedded_log.h"
#include "log/log.h"

namespace pinflow::log {

// Positions that a consumer group commits together. Names topics by id: a topic made again starts without
// positions.
struct GroupCommit {
  struct Entry {
    std::array<std::uint8_t, 16> topic{};
    std::int32_t partition = 0;
    Offset offset;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::string group;
  std::vector<Entry> entries;
  friend bool operator==(const GroupCommit&, const GroupCommit&) = default;
};

// One frame of the journal (docs/formats/log.md): what one sync covers, so that only the last frame can be
// torn. Pure functions.
std::string encode_frame(std::span<const GroupCommit> commits);

struct JournalScan {
  std::vector<GroupCommit> commits;
  std::size_t valid_size = 0;  // End of the last valid frame.
  bool damaged = false;        // Bytes before it belong to no frame.
};
JournalScan scan_journal(std::string_view bytes);

// The positions of all groups: a map in memory behind a journal on disk. append, sync and forget_topic belong
// to the committer's thread, positions to any. After a failed write or sync no commit is taken until the next
// opening. Rewritten when most of it is outdated, so its size is bounded by what is live. What the options
// name must outlive it.
class GroupJournal final {
 public:
  struct Options {
    disk::Disk& disk;
    Logger& logger;
    disk::Path path;
    Durability durability = Durability::kPower;
    bool read_only = false;
    std::uint64_t compact_at = 1 << 20;  // Bytes below which it is never rewritten.
  };
  explicit GroupJournal(Options options) : options_(std::move(options)) {}

  // Reads what is there, cuts a torn tail. Damage in the middle costs the commits there; a copy of the file
  // is kept beside.
  Result<void> load(RecoveryReport& report);

  // Writes commits; sync makes them durable and publishes them. Either failing means kUnknownOutcome for all
  // of them, or kUnavailable where nothing was written.
  Result<void> append(const std::vector<GroupCommit>& commits);
  Result<void> sync();

  std::vector<GroupCommit::Entry> positions(const std::string& group) const;
  // Drops the positions of a deleted topic; they leave the file when it is next rewritten.
  void forget_topic(const Uuid& topic);

 private:
  using Position = std::pair<std::array<std::uint8_t, 16>, std::int32_t>;  // Topic and partition.
  using Groups = std::map<std::string, std::map<Position, Offset>>;

  void apply(const GroupCommit& commit);
  std::string snapshot() const;
  Result<void> compact();
  Error fence(const Error& cause);

  const Options options_;
  std::unique_ptr<disk::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t compact_above_ = 0;
  std::optional<std::string> fence_;
  std::vector<GroupCommit> unpublished_;
  mutable std::mutex mutex_;
  Groups groups_;
};

}  // namespace pinflow::log
