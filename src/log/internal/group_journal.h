#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/uuid.h"
#include "disk/disk.h"
#include "log/embedded_log.h"
#include "log/log.h"

namespace pinflow::log {

inline constexpr std::size_t kMostPositionMetadata = UINT16_MAX;

// Where a group stands in one partition. Names the topic by id: a topic made again starts without positions.
struct GroupPosition {
  std::array<std::uint8_t, 16> topic{};
  std::int32_t partition = 0;
  Offset offset;
  std::int32_t leader_epoch = -1;
  WallTime committed{};
  std::string metadata;
  friend bool operator==(const GroupPosition&, const GroupPosition&) = default;
};

// One change of a group. Replaying all changes in order gives the state that was live.
struct GroupChange {
  enum class Kind : std::uint8_t {
    kCommit = 1,           // `positions` replace those of their partitions.
    kForgetPositions = 2,  // The positions of the topics and partitions in `positions` go.
    kForgetOld = 3,        // Positions committed before `before` go.
    kState = 4,            // `state` replaces the group's state; empty: it has none.
    kForgetGroup = 5,      // Positions and state go.
  };
  Kind kind = Kind::kCommit;
  std::string group;
  std::vector<GroupPosition> positions;
  WallTime before{};
  std::string state;
  friend bool operator==(const GroupChange&, const GroupChange&) = default;
};

// One frame of the journal (docs/formats/log.md): what one sync covers, so that only the last frame can be
// torn. Pure functions.
std::string encode_frame(std::span<const GroupChange> changes);

struct JournalScan {
  std::vector<GroupChange> changes;
  std::size_t valid_size = 0;  // End of the last valid frame.
  bool damaged = false;        // Bytes before it belong to no frame.
  bool old_format = false;     // It has frames of format 1, whose positions carry no time.
};
JournalScan scan_journal(std::string_view bytes);

// Positions and states of all groups: a map in memory behind a journal on disk. append and sync are the committer's, one
// after the other; all else may be called from any thread. After a failed write or sync no change is taken until the next
// opening. Rewritten when most of it is outdated, so its size is bounded by what is live. What the options name must
// outlive it.
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

  // Reads what is there, cuts a torn tail. Damage in the middle costs the changes there; a copy of the file
  // is kept beside. Positions without a time get `now`.
  Result<void> load(RecoveryReport& report, WallTime now);

  // Writes changes; sync makes them durable and publishes them. Either failing means kUnknownOutcome for all
  // of them, or kUnavailable where nothing was written.
  Result<void> append(std::vector<GroupChange> changes);
  Result<void> sync();

  std::vector<GroupPosition> positions(const std::string& group) const;
  // Whether the group has a position committed before `before`.
  bool has_older(const std::string& group, WallTime before) const;
  bool knows(const std::string& group) const;
  std::vector<std::string> groups() const;  // Sorted.
  std::vector<std::pair<std::string, std::string>> states() const;
  // Drops the positions of a deleted topic; they leave the file when it is next rewritten.
  void forget_topic(const Uuid& topic);
  // Drops the positions of all topics but these.
  void keep_topics(std::span<const Uuid> topics);

 private:
  using Key = std::pair<std::array<std::uint8_t, 16>, std::int32_t>;  // Topic and partition.
  struct Place {
    Offset offset;
    std::int32_t leader_epoch = -1;
    WallTime committed{};
    std::string metadata;
  };
  struct Group {
    std::map<Key, Place> places;
    std::string state;
    bool empty() const { return places.empty() && state.empty(); }
  };

  void apply(GroupChange change);
  template <class Unwanted>
  void forget_if(Unwanted unwanted);
  static std::vector<GroupPosition> list(const Group& group);
  std::string snapshot() const;
  Result<void> compact();
  Error fence(const Error& cause);

  const Options options_;
  std::unique_ptr<disk::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t compact_above_ = 0;
  std::optional<std::string> fence_;
  std::vector<GroupChange> unpublished_;
  mutable std::mutex mutex_;
  std::map<std::string, Group> groups_;
};

}  // namespace pinflow::log
