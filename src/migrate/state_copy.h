#pragma once

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::migrate {

// Copies a folder with all in it, whole or not at all: it takes its name once all is there. Gives whether it was copied: not where there is none, nor
// where the other side has one of its own. Locks stay. Nobody may write to it meanwhile.
Result<bool> copy_folder(disk::Disk& disk, const disk::Path& from, const disk::Path& to);

}  // namespace pinflow::migrate
