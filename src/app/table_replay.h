#pragma once

#include "app/commands.h"

namespace pinflow::app {

// Adds `replay` to the command `tables`: a past range of a stream into a new table.
void add_table_replay(CLI::App& tables, Action& selected);

}  // namespace pinflow::app
