#pragma once

#include "app/environment.h"
#include "app/pipeline.h"

namespace pinflow::app {

// Lets the pipeline run until the process is told to stop; meanwhile SIGHUP reads its files anew.
void run_until_stopped(Environment& environment, Pipeline& pipeline);

// When a post is acknowledged, in words.
std::string acknowledgement(const config::Config& config);

}  // namespace pinflow::app
