#pragma once

#include <string>
#include <string_view>

namespace pinflow::disk::internal {

// Names under which write_file prepares content. Listings hide them; whoever takes the folder's lock removes
// those that a dead writer left.
inline constexpr std::string_view kTemporaryPrefix = ".tmp-";

inline bool is_temporary(std::string_view name) {
  return name.starts_with(kTemporaryPrefix);
}

// The file in a folder whose lock makes its holder the only writer.
inline constexpr std::string_view kLockName = "LOCK";

// What the second opener of a locked folder reads. `holder` is a process id, or empty where it is not known.
std::string lock_conflict(std::string_view folder, std::string_view holder);

}  // namespace pinflow::disk::internal
