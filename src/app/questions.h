#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "app/stores.h"
#include "base/result.h"

namespace pinflow::app {

inline constexpr std::size_t kDemoRows = 10;  // Enough to see what an answer looks like.

// Prints the stored answer of one question, or of all ("all"), to stdout as table, csv or json; of each its first `most` rows, with
// a remark where there are more.
Result<void> print_answers(Stores& stores, const std::string& name, const std::string& format,
                           std::size_t most = SIZE_MAX);

}  // namespace pinflow::app
