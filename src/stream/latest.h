#pragma once

#include <string>
#include <string_view>

namespace pinflow::stream {

// The SELECT that gives, of the rows of `select` (a cleaned table's), one a post: per `ind` the one latest in the log. The stream
// lane's tables are append-only, a post sent twice has two rows there.
std::string latest_per_ind(std::string_view select);

}  // namespace pinflow::stream
