#pragma once

#include <string>
#include <vector>

#include "delta/table.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

// The stats JSON of an add (PROTOCOL.md, "Per-file Statistics"). Readers skip files by it, so it leaves out
// what could be too narrow.
std::string format_statistics(const std::vector<Field>& schema, const sql::ParquetFile& file);

// Bounds of a text cut to 32 characters: at most, and at least, the whole text. The latter does not always
// exist.
std::string truncate_minimum(std::string_view text);
std::optional<std::string> truncate_maximum(std::string_view text);

}  // namespace pinflow::delta::internal
