#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "delta/table.h"

namespace pinflow::stream {

// The SELECT that gives, of the rows of `select` (a cleaned table's), one a post: per `ind` the one latest in the log. The stream
// lane's tables are append-only, a post sent twice has two rows there.
std::string latest_per_ind(std::string_view select);

// Whose SQL a view is written in.
enum class ViewEngine { kDuckDb, kSpark };

// What must run before the views of an engine; with a comment that says so.
std::string view_prologue(ViewEngine engine);

// The statement that makes a view with the same rows of a table in a folder (an absolute path), whatever its newest version is when
// the view is asked.
std::string latest_view(ViewEngine engine, std::string_view view, const std::vector<delta::Field>& columns,
                        std::string_view folder);

}  // namespace pinflow::stream
