#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::query {

// Decides whether a user's statement may run: it is exactly one query, reads no tables but those given, and calls no functions but the
// listed ones. It judges the engine's own parse tree, as json_serialize_sql gives it, never the text. Whatever it does not know is
// refused. Without state.

// `tables`: names in small letters; false where the name is known but its rows are not at hand. kInvalid says what is refused;
// kNotFound an unknown table, with those there are.
Result<void> check_tree(std::string_view tree, const std::map<std::string, bool>& tables);

// The query that an EXPLAIN [ANALYZE] explains, by the first words of the text; `explain` is then what stands before it in plain
// words. Other statements come back as they are, with an empty `explain`.
struct Explained {
  std::string_view explain;
  std::string_view query;
};
Explained split_explain(std::string_view statement);

// Names that can be nothing but a table of ours: letters, digits and _, no digit first. The engine takes no such name for a file.
bool is_plain_name(std::string_view name);

std::string in_small_letters(std::string_view text);  // Of A-Z alone.

}  // namespace pinflow::query
