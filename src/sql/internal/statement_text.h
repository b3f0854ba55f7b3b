#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinflow::sql::internal {

// The front comment of an SQL file.
struct FrontComment {
  std::string name;  // Empty where it is not given.
  std::string description;
  std::vector<std::string> columns;
  std::string severity;  // Empty where it is not given; of checks.
  std::size_t end = 0;   // Where the comment ends in the file's text.
};

// Reads the lines `-- key: value` that a file begins with; `--   text` continues the value above. The comment
// ends before the first line of another form. kInvalid names the line: a key that is unknown or given twice,
// no description, an empty column.
Result<FrontComment> parse_front_comment(std::string_view file);

// Gives the one SELECT (or WITH ... SELECT) of `text` without its ';'. kInvalid: no statement, another kind
// of statement, or a second one behind a ';' that lies outside of strings, quoted names and comments. Only
// the borders are found, the engine does the rest.
Result<std::string> single_select(std::string_view text);

}  // namespace pinflow::sql::internal
