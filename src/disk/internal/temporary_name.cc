#include "disk/internal/temporary_name.h"

#include <fmt/format.h>

namespace pinflow::disk::internal {

std::string lock_conflict(std::string_view folder, std::string_view holder) {
  const std::string who = holder.empty() ? std::string("another process") : fmt::format("process {}", holder);
  return fmt::format(
      "folder {} is in use by {} (its LOCK file names it); stop that process first, or give this one another "
      "folder",
      folder, who);
}

}  // namespace pinflow::disk::internal
