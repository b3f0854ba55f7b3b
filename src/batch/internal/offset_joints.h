#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "batch/internal/sunk_objects.h"

namespace pinflow::batch::internal {

// Where the offsets of objects do not join: "topic/partition" and a sentence on a hole or an overlap between one object and the one before
// it, or what is loaded already. `objects` sorted by name, `lines` how many each holds, in the same order. The objects that the sink puts
// never overlap; a hole is where the log had one (removed records, marks of transactions), or where an object is missing.
std::vector<std::pair<std::string, std::string>> broken_joints(const std::vector<SunkObject>& objects,
                                                               const std::vector<std::uint64_t>& lines,
                                                               const LoadedThrough& loaded);

}  // namespace pinflow::batch::internal
