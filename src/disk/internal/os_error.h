#pragma once

#include <string_view>

#include "base/error.h"
#include "disk/disk.h"

namespace pinflow::disk::internal {

// Turns an errno into an Error: "cannot <action> <path>: <cause>; <how to mend>". The code follows disk.h.
Error os_error(std::string_view action, const Path& path, int error_number);

}  // namespace pinflow::disk::internal
