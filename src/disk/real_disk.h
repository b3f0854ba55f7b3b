#pragma once

#include "disk/disk.h"

namespace pinflow::disk {

// The POSIX file system. Short writes and EINTR are finished; close errors are reported by sync before it.
std::unique_ptr<Disk> make_real_disk();

}  // namespace pinflow::disk
