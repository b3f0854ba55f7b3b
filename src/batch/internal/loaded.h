#pragma once

#include <cstdint>
#include <map>

#include "log/log.h"

namespace pinflow::batch::internal {

// How far a table has the objects of a partition. Those that the sink puts without a plan come in the order of their offsets, so one of these
// tells; the others as plans name them, plan after plan.
struct Position {
  log::Offset through{-1};  // Of the objects without plan; -1: none.
  std::int64_t plan = 0;    // All objects of the plans through this one; 0: none.
  friend bool operator==(const Position&, const Position&) = default;
};

// By partition; one that is not named has nothing loaded.
using LoadedThrough = std::map<log::TopicPartition, Position>;

// Which offsets of a partition the objects have, as far as a run has taken them in: all below `next`, but `open` of them.
struct Taken {
  log::Offset next;
  std::int64_t open = 0;
};

}  // namespace pinflow::batch::internal
