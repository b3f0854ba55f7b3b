#pragma once

#include "app/commands.h"

namespace pinflow::app {

// Adds `views` to the command `tables`: statements that make a view of the latest row of each post.
void add_table_views(CLI::App& tables, Action& selected);

}  // namespace pinflow::app
