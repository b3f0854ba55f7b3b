#pragma once

#include <memory>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "batch/remote_engine.h"

namespace pinflow::app {

// The engine that batch.engine names; null for "duckdb", which is within this process. kInvalid: a setting that it needs is missing (named).
// The stores outlive it.
Result<std::unique_ptr<batch::RemoteEngine>> open_batch_engine(Environment& environment, Stores& stores);

}  // namespace pinflow::app
