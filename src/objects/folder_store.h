#pragma once

#include <memory>

#include "objects/object_store.h"

namespace pinflow::objects {

// A folder of `disk` as an object store. Any number of processes may have one folder open; put_new decides
// between them. Scratch files lie in root/.scratch, each open store's in a locked folder of its own; opening
// removes those of stores whose process is gone. Opening makes a missing root, and writes nothing else.
// `disk` must outlive the store.
Result<std::unique_ptr<ObjectStore>> open_folder_store(disk::Disk& disk, const disk::Path& root);

}  // namespace pinflow::objects
