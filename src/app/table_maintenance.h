#pragma once

#include "app/commands.h"

namespace pinflow::app {

// Adds `describe`, `history`, `optimize`, `vacuum` and `check` to the command `tables`.
void add_table_maintenance(CLI::App& tables, Action& selected);

}  // namespace pinflow::app
