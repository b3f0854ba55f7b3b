#pragma once

#include <string>

#include "app/environment.h"
#include "base/result.h"
#include "objects/object_store.h"
#include "stream/stream_lane.h"

namespace pinflow::app {

// The identity of this data folder in the transactions of its tables: made once, kept in state/pipeline.json. kCorrupt: the file is
// there and holds none.
Result<std::string> pipeline_id(Environment& environment);

// The identity that all processes share which write the tables of this store from topics in a cluster: made by the first, kept in the
// object pinflow/pipeline.json.
Result<std::string> shared_pipeline_id(objects::ObjectStore& tables);

// Makes an identity that is there already the shared one of this store. kConflict: the store has another; nothing was changed.
Result<void> share_pipeline_id(objects::ObjectStore& tables, const std::string& id);

// The stream lane's options as the settings say.
Result<stream::StreamOptions> stream_options(const config::Config& config, const std::string& pipeline_id);

}  // namespace pinflow::app
