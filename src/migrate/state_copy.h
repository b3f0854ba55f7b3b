#pragma once

#include <vector>

#include "base/result.h"
#include "disk/disk.h"
#include "migrate/lane_positions.h"

namespace pinflow::migrate {

// Copies a folder with all in it, whole or not at all: it takes its name once all is there. Gives whether it was copied: not where there is none, nor
// where the other side has one of its own. Locks stay. Nobody may write to it meanwhile.
Result<bool> copy_folder(disk::Disk& disk, const disk::Path& from, const disk::Path& to);

// Copies the checkpoint of the live metrics so that they go on from it in the other log. Gives whether it was copied, as copy_folder does. A
// checkpoint that cannot be read is left, as at a start.
Result<bool> copy_live_checkpoint(disk::Disk& disk, const disk::Path& from, const disk::Path& to,
                                  const std::vector<MovedTopic>& topics);

}  // namespace pinflow::migrate
