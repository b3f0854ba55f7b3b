#pragma once

#include <functional>
#include <vector>

#include "base/result.h"

namespace pinflow::batch::internal {

using Work = std::move_only_function<Result<void>()>;

// Does several things at the same time, each on a thread of its own, and waits for all: for what waits for disks and networks, not for the
// processor. Gives the first error, in their order.
Result<void> at_once(std::vector<Work> all);

}  // namespace pinflow::batch::internal
