#include "sql/statements.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/names.h"
#include "sql/internal/embedded_statements.h"
#include "sql/internal/statement_text.h"

namespace pinflow::sql {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kFolders = {"prelude", "clean", "model", "questions", "checks", "checks/raw"};
constexpr std::string_view kPrelude = "prelude/duckdb.sql";
constexpr std::string_view kSparkPrelude = "prelude/spark.sql";
constexpr std::uintmax_t kLargestFile = 1 << 20;

// A file by its path relative to the folder, and where it lies, for messages.
struct Source {
  std::string text;
  std::string place;
  bool built_in = true;
};
using Sources = std::map<std::string, Source>;

bool is_name(std::string_view word) {
  return !word.empty() && word.size() <= 100 &&
         std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Result<void> check_place(const std::string& relative, const std::string& place) {
  const std::size_t slash = relative.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : relative.substr(0, slash);
  if (std::ranges::find(kFolders, folder) == kFolders.end()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: SQL files lie in one of the folders {}; move it or rename its folder", place,
                            fmt::join(kFolders, ", ")));
  }
  const std::string_view stem = std::string_view(relative).substr(slash + 1, relative.size() - slash - 5);
  if (!is_name(stem)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: the name of an SQL file is made of at most 100 of a-z, 0-9 and _, for it "
                            "becomes a table's name; rename it",
                            place));
  }
  return {};
}

Result<std::string> read_text(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error && size > kLargestFile) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: an SQL file of {} bytes; at most {} are taken", path.string(), size, kLargestFile));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be read; check its permissions", path.string()));
  return std::move(text).str();
}

Result<void> overlay(Sources& sources, const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fail(ErrorCode::kNotFound,
                fmt::format("{}: no such folder of SQL files; make it or leave the setting out", folder.string()));
  }
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() != ".sql" || !entry->is_regular_file(error)) continue;
    const std::string relative = path.lexically_relative(folder).generic_string();
    TRY(check_place(relative, path.string()));
    TRY_ASSIGN(std::string text, read_text(path));
    sources.insert_or_assign(relative, Source{std::move(text), path.string(), false});
  }
  if (error) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  }
  return {};
}

Result<Statement> parse(const std::string& relative, std::string_view file) {
  TRY_ASSIGN(internal::FrontComment comment, internal::parse_front_comment(file));
  Statement statement;
  statement.name = relative.substr(0, relative.size() - 4);
  const std::string stem = statement.name.substr(statement.name.rfind('/') + 1);
  if (!comment.name.empty() && comment.name != stem) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the comment says `-- name: {}` but the file is called {}.sql; make them equal",
                            comment.name, stem));
  }
  statement.description = std::move(comment.description);
  statement.columns = std::move(comment.columns);
  statement.stops = comment.severity == "stop";
  if (!comment.severity.empty() && !statement.name.starts_with("checks/")) {
    return fail(ErrorCode::kInvalid, "only a check has a severity; leave the line out");
  }
  // Blank lines in place of the comment, so that the lines in messages are those of the file.
  std::string body(static_cast<std::size_t>(std::ranges::count(file.substr(0, comment.end), '\n')), '\n');
  body += file.substr(comment.end);
  TRY_ASSIGN(statement.text, internal::single_select(body));
  statement.first_line =
      1 + static_cast<std::size_t>(std::ranges::count(body.substr(0, body.find(statement.text)), '\n'));
  return statement;
}

}  // namespace

Result<Statements> Statements::load(const std::optional<std::filesystem::path>& folder) {
  Sources sources;
  for (const auto& [path, text] : internal::embedded_files()) {
    sources.emplace(path, Source{std::string(text), fmt::format("built-in sql/{}", path)});
  }
  if (folder) TRY(overlay(sources, *folder));
  Statements statements;
  for (const auto& [path, source] : sources) {
    if (path == kPrelude) statements.prelude_ = source.text;
    if (path == kSparkPrelude) statements.spark_prelude_ = source.text;
    if (path.starts_with("prelude/")) continue;
    auto statement = parse(path, source.text);
    if (!statement) {
      Error error = std::move(statement).error().with_context(source.place);
      const bool stands_alone = path.starts_with("questions/") || path.starts_with("checks/");
      if (source.built_in || !stands_alone) return fail(std::move(error));
      statements.broken_.push_back({path.substr(0, path.size() - 4), std::move(error)});
      continue;
    }
    statement->built_in = source.built_in;
    statements.statements_.push_back(*std::move(statement));
  }
  std::ranges::sort(statements.statements_, {}, &Statement::name);
  return statements;
}

Result<Statement> Statements::find(std::string_view name) const {
  const auto found = std::ranges::find(statements_, name, &Statement::name);
  if (found != statements_.end()) return *found;
  std::vector<std::string> names;
  for (const Statement& statement : statements_) names.push_back(statement.name);
  const std::optional<std::string> near = nearest(name, names);
  return fail(ErrorCode::kNotFound,
              fmt::format("no SQL file {}.sql{}; there are {}", name,
                          near ? fmt::format(" (did you mean {}?)", *near) : "", fmt::join(names, ", ")));
}

std::vector<Statement> Statements::in_folder(std::string_view folder) const {
  std::vector<Statement> found;
  for (const Statement& statement : statements_) {
    if (statement.name.substr(0, statement.name.rfind('/')) == folder) found.push_back(statement);
  }
  return found;
}

}  // namespace pinflow::sql
