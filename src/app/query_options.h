#pragma once

#include "app/environment.h"
#include "query/query_runner.h"

namespace pinflow::app {

// How statements of users run: the limits as the settings say, over the tables of the data folder.
query::RunnerOptions query_options(const Environment& environment);

}  // namespace pinflow::app
