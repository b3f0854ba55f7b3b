#pragma once

#include <memory>

#include "base/random.h"
#include "objects/object_store.h"

namespace pinflow::objects {

// A folder of `disk` as an object store. Scratch files lie in root/.scratch, which is emptied when the store
// is opened by the process that calls `clean`. `disk` must outlive the store.
Result<std::unique_ptr<ObjectStore>> open_folder_store(disk::Disk& disk, const disk::Path& root);

}  // namespace pinflow::objects
