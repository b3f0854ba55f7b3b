#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/strong.h"
#include "groups/group_calls.h"
#include "log/broker_log.h"

namespace pinflow::groups {

struct CoordinatorOptions {
  // How long the first rebalance of a group waits for more members. Kafka's 3 s spare large fleets rebalances but make
  // every start on one machine feel broken; consumers of one process join within milliseconds of each other.
  std::chrono::milliseconds initial_rebalance_delay{200};
  std::chrono::milliseconds min_session_timeout{6'000};
  std::chrono::milliseconds max_session_timeout{30 * 60'000};
  std::size_t max_groups = 10'000;
  std::size_t max_group_size = 1'000;                 // Members, and as many again that were only told their id.
  ByteCount max_member_size{std::uint64_t{1} << 20};  // Metadata or assignment of one member.
  ByteCount max_memory{std::uint64_t{64} << 20};      // Members with metadata and assignments, all groups together.
  std::size_t max_offset_metadata = 4'096;
  // Positions of a group without members go so long after its last commit and its last member; none: never.
  std::optional<std::chrono::milliseconds> offsets_retention = std::chrono::hours(7 * 24);
  std::chrono::milliseconds retention_check_interval = std::chrono::minutes(10);
};

// Coordinates consumer groups as Kafka's classic protocol has it (KIP-62, 134, 345, 394, 559, 814): calls and time go in,
// replies go to callbacks. Holds no thread and no socket. Safe from any thread; callbacks run outside its lock, on the
// thread of any call or of the log.
// The last completed generation of each group is stored in the log, and found again by a coordinator made later: its
// members go on with fresh sessions. What the log could not store is answered with an error after which clients try again.
// Log, clock and logger must outlive it. The destructor answers all who wait with kCoordinatorNotAvailable.
class GroupCoordinator final {
 public:
  // `seed` makes the ids of members: nobody else should guess it.
  GroupCoordinator(CoordinatorOptions options, log::BrokerLog& log, const Clock& clock, Logger& logger,
                   std::uint64_t seed);
  ~GroupCoordinator();
  GroupCoordinator(const GroupCoordinator&) = delete;
  GroupCoordinator& operator=(const GroupCoordinator&) = delete;

  // Fires what is due by the clock. Call it at next_deadline(), or whenever convenient.
  void advance();
  SteadyTime next_deadline();
  // Called when next_deadline() has become earlier than it last said. Set it before the first call; must not block.
  void on_earlier_deadline(std::function<void()> tell);

  void join(JoinRequest request, JoinDone done);
  void sync(SyncRequest request, SyncDone done);
  GroupError heartbeat(const HeartbeatRequest& request);
  LeaveReply leave(const LeaveRequest& request);

  // Stores positions; unknown partitions and metadata that is too long are refused one by one.
  void commit(CommitRequest request, OffsetsDone done);
  // All positions of a group, in order of topic and partition; none for a group that does not exist.
  std::vector<log::GroupOffset> committed(const std::string& group);
  void delete_offsets(DeleteOffsetsRequest request, OffsetsDone done);

  DescribedGroup describe(const std::string& group);
  std::vector<ListedGroup> list();  // Sorted by name.
  void delete_group(const std::string& group, GroupDone done);

 private:
  class Core;
  std::shared_ptr<Core> core_;  // Shared with answers that the log still owes.
};

}  // namespace pinflow::groups
