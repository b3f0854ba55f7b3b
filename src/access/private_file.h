#pragma once

#include <string_view>

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::access {

// Makes a folder (and those above it) that its owner alone may look into, where the disk knows owners.
Result<void> create_private_folder(disk::Disk& disk, const disk::Path& path);

// Puts the file whole and durable in place of what was there, readable by its owner alone from its first byte on.
Result<void> write_private_file(disk::Disk& disk, const disk::Path& path, std::string_view bytes);

}  // namespace pinflow::access
