#pragma once

#include <string>

#include "app/environment.h"
#include "base/result.h"
#include "stream/stream_lane.h"

namespace pinflow::app {

// The identity of this data folder in the transactions of its tables: made once, kept in state/pipeline.json. kCorrupt: the file is
// there and holds none.
Result<std::string> pipeline_id(Environment& environment);

// The stream lane's options as the settings say.
Result<stream::StreamOptions> stream_options(const config::Config& config, const std::string& pipeline_id);

}  // namespace pinflow::app
