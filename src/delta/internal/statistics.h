#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "delta/table.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

// The stats JSON of an add (PROTOCOL.md, "Per-file Statistics"). Readers skip files by it, so it leaves out
// what could be too narrow.
std::string format_statistics(const std::vector<Field>& schema, const sql::ParquetFile& file);

// What a stats JSON says, of plain top-level columns; bounds as their text.
struct FileStatistics {
  struct Bounds {
    std::optional<std::string> minimum, maximum;
    std::optional<std::int64_t> nulls;
  };
  std::optional<std::int64_t> rows;
  std::map<std::string, Bounds> columns;
};
// Nothing where it is no JSON object. An empty text says nothing, which is allowed.
std::optional<FileStatistics> parse_statistics(const std::string& statistics);

// Bounds of a text cut to 32 characters: at most, and at least, the whole text. The latter does not always
// exist.
std::string truncate_minimum(std::string_view text);
std::optional<std::string> truncate_maximum(std::string_view text);

}  // namespace pinflow::delta::internal
