#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "groups/group_calls.h"

namespace pinflow::groups {

// What of a group outlives a restart: its last completed generation (docs/formats/group-state.md). A value type.
struct GroupSnapshot {
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::chrono::milliseconds session_timeout{0};
    std::chrono::milliseconds rebalance_timeout{0};
    std::vector<JoinProtocol> protocols;
    std::string assignment;
    friend bool operator==(const Member&, const Member&) = default;
  };
  std::int32_t generation = 0;
  WallTime since{};  // When it came to be as it is.
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::vector<Member> members;  // None: the group is empty.
  friend bool operator==(const GroupSnapshot&, const GroupSnapshot&) = default;
};

std::string encode_snapshot(const GroupSnapshot& snapshot);
// kCorrupt: no snapshot, or one that cannot be (members twice, a leader who is none). kInvalid: of a later version.
Result<GroupSnapshot> decode_snapshot(std::string_view bytes);

}  // namespace pinflow::groups
