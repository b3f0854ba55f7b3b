#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/result.h"

namespace pinflow::sql {

// One SQL file of the users': a single SELECT, with a front comment of lines `-- key: value` (name,
// description, columns).
struct Statement {
  std::string name;  // Folder and file without ending: "clean/pin", "questions/category_by_country".
  std::string description;
  std::vector<std::string> columns;  // As declared; empty where the front comment has none.
  std::string text;                  // The statement without its trailing ';'.
  std::size_t first_line = 1;        // Where the text begins in the file.
  bool built_in = true;              // Carried in the binary; false where it comes from the user's folder.
  bool stops = false;                // Of a check: `-- severity: stop`, its findings keep a run from being published.
};

// A question or check of the user's that cannot be understood: the others go on without it.
struct BrokenStatement {
  std::string name;  // "questions/mine".
  Error error;       // Names file and line.
};

// The SQL files of cleaning, model, checks and questions: those of `sql/` in the source tree, carried inside
// the binary, and over them those of a folder of the user's, by the same relative path. A value, immutable
// once loaded.
class Statements {
 public:
  // kInvalid names file and line of what cannot be understood. A user's question or check fails alone: broken() has it.
  static Result<Statements> load(const std::optional<std::filesystem::path>& folder);
  // What DuckDB needs before the other files run: the few functions that engines spell differently
  // (sql/prelude/duckdb.sql).
  const std::string& prelude() const { return prelude_; }
  // The same for Spark, to be run statement by statement.
  const std::string& spark_prelude() const { return spark_prelude_; }
  Result<Statement> find(std::string_view name) const;              // kNotFound lists the names there are.
  std::vector<Statement> in_folder(std::string_view folder) const;  // Sorted by name: all of "questions".
  const std::vector<BrokenStatement>& broken() const { return broken_; }

 private:
  std::string prelude_, spark_prelude_;
  std::vector<Statement> statements_;
  std::vector<BrokenStatement> broken_;
};

}  // namespace pinflow::sql
