#pragma once

#include <string>

#include "base/result.h"
#include "delta/internal/table_state.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

// Writes `state` as the checkpoint of its version (classic, one part), reads it back, and only then points
// _last_checkpoint to it. `name` is the table's folder. A failure leaves the table as readable as it was.
// kCorrupt: what was read back is not what was written.
Result<void> write_checkpoint(objects::ObjectStore& store, sql::Engine& engine, const std::string& name,
                              const TableState& state);

}  // namespace pinflow::delta::internal
