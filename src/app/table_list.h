#pragma once

#include "app/stores.h"
#include "base/result.h"

namespace pinflow::app {

// Prints every table with its version, rows, files and size, as a table for people.
Result<void> print_tables(Stores& stores);

}  // namespace pinflow::app
