#include "stream/latest.h"

#include <fmt/format.h>

#include "sql/engine.h"

namespace pinflow::stream {

namespace {

constexpr std::string_view kPlace =
    "row_number() OVER (PARTITION BY ind ORDER BY source_offset DESC, source_partition DESC, source_topic)";

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

}  // namespace

std::string latest_per_ind(std::string_view select) {
  return fmt::format("SELECT * FROM ({}) QUALIFY {} = 1", select, kPlace);
}

std::string view_prologue(ViewEngine engine) {
  if (engine == ViewEngine::kSpark) {
    return "-- One row a post, of repeats the latest in the log. For Spark with Delta Lake, and Databricks.\n";
  }
  return "-- One row a post, of repeats the latest in the log. For DuckDB with its delta extension.\n"
         "INSTALL delta;\nLOAD delta;\n";
}

std::string latest_view(ViewEngine engine, std::string_view view, const std::vector<delta::Field>& columns,
                        std::string_view folder) {
  const bool spark = engine == ViewEngine::kSpark;
  const char quote = spark ? '`' : '"';
  std::string names;
  for (const delta::Field& column : columns) names += (names.empty() ? "" : ", ") + in_quotes(column.name, quote);
  const std::string table =
      spark ? "delta." + in_quotes(folder, '`') : fmt::format("delta_scan({})", sql::quote_text(folder));
  return fmt::format(
      "\nCREATE OR REPLACE {}VIEW {} AS\nSELECT {}\nFROM (\n  SELECT *, {} AS place_in_log\n  FROM {}\n) AS "
      "placed\nWHERE "
      "place_in_log = 1;\n",
      spark ? "TEMPORARY " : "", in_quotes(view, quote), names, kPlace, table);
}

}  // namespace pinflow::stream
