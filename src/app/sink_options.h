#pragma once

#include "app/environment.h"
#include "base/result.h"
#include "records/kind.h"
#include "sink/sink.h"

namespace pinflow::app {

// The sink's options as the settings say, or the connector's properties file that they name, of which each setting that is not
// obeyed is told in a warning. kInvalid: settings that cannot be obeyed.
Result<sink::SinkOptions> sink_options(Environment& environment, const records::Names& names);

}  // namespace pinflow::app
