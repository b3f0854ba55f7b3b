#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "delta/internal/table_state.h"
#include "objects/object_store.h"

namespace pinflow::delta::internal {

// Removes what the log keeps beyond its retention (PROTOCOL.md, "Metadata Cleanup"; delta.logRetentionDuration, 30 days): the cut is
// midnight UTC; the newest checkpoint that is not younger than the newest commit before the cut stays with all that follows, and
// what is older goes, oldest first. Without such a checkpoint nothing goes. Gives how many objects it removed.
Result<std::size_t> clean_log(objects::ObjectStore& store, const std::string& name, const Metadata& metadata,
                              WallTime now);

}  // namespace pinflow::delta::internal
