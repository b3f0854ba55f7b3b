#pragma once

#include <vector>

#include "base/result.h"
#include "delta/table.h"
#include "sql/engine.h"

namespace pinflow::stream::internal {

// The columns of an answer as those of a Delta table. kInvalid: a type that our tables do not hold, with the column's name.
Result<std::vector<delta::Field>> table_fields(const sql::ResultTable& columns);

}  // namespace pinflow::stream::internal
