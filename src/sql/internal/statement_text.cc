#include "sql/internal/statement_text.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace pinflow::sql::internal {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

Result<std::vector<std::string>> split_columns(std::string_view list, int line) {
  std::vector<std::string> columns;
  for (bool more = true; more;) {
    const std::size_t comma = list.find(',');
    const std::string_view column = trimmed(list.substr(0, comma));
    if (column.empty() || !std::ranges::all_of(column, is_word)) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("line {}: \"{}\" is no column name; write `-- columns: a, b, c`", line, column));
    }
    if (std::ranges::find(columns, column) != columns.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("line {}: column {} is given twice", line, column));
    }
    columns.emplace_back(column);
    more = comma != std::string_view::npos;
    if (more) list.remove_prefix(comma + 1);
  }
  return columns;
}

// One value of the front comment while it is read.
struct Entry {
  std::string key;
  std::string value;
  int line = 0;
};

Result<void> fill(FrontComment& comment, const Entry& entry) {
  if (entry.value.empty()) {
    return fail(ErrorCode::kInvalid, fmt::format("line {}: `{}` has no value", entry.line, entry.key));
  }
  if (entry.key == "name") {
    comment.name = entry.value;
  } else if (entry.key == "description") {
    comment.description = entry.value;
  } else if (entry.key == "severity") {
    if (entry.value != "warn" && entry.value != "stop") {
      return fail(ErrorCode::kInvalid,
                  fmt::format("line {}: severity {} is none of warn, stop", entry.line, entry.value));
    }
    comment.severity = entry.value;
  } else {
    TRY_ASSIGN(comment.columns, split_columns(entry.value, entry.line));
  }
  return {};
}

// Reads `key: value` behind the dashes of a line.
Result<Entry> parse_entry(std::string_view content, int line) {
  const std::size_t colon = content.find(':');
  Entry entry;
  if (colon != std::string_view::npos) entry.key = trimmed(content.substr(0, colon));
  if (entry.key != "name" && entry.key != "description" && entry.key != "columns" && entry.key != "severity") {
    return fail(ErrorCode::kInvalid, fmt::format("line {}: expected `-- name: ...`, `-- description: ...`, `-- "
                                                 "columns: ...` or `-- severity: ...`, found `--{}`; "
                                                 "other comments go below an empty line",
                                                 line, content));
  }
  entry.value = trimmed(content.substr(colon + 1));
  entry.line = line;
  return entry;
}

// Where the thing that begins at `at` ends, for quotes and comments; `at` itself for anything else. The end
// of the text for what is never closed: the engine will say so.
std::size_t skip_opaque(std::string_view text, std::size_t at) {
  const auto behind = [&](std::string_view closing, std::size_t from) {
    const std::size_t found = text.find(closing, from);
    return found == std::string_view::npos ? text.size() : found + closing.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with('\'') || rest.starts_with('"') || rest.starts_with('`'))
    return behind(rest.substr(0, 1), at + 1);
  if (rest.starts_with("--")) return behind("\n", at);
  if (rest.starts_with("/*")) {
    int depth = 1;
    for (std::size_t i = at + 2; i < text.size(); ++i) {
      const std::string_view pair = text.substr(i, 2);
      if (pair == "/*") {
        ++depth, ++i;
      } else if (pair == "*/") {
        if (++i; --depth == 0) return i + 1;
      }
    }
    return text.size();
  }
  if (rest.starts_with('$') && (at == 0 || !is_word(text[at - 1]))) {  // $tag$ ... $tag$
    std::size_t i = 1;
    while (i < rest.size() && is_word(rest[i])) ++i;
    const bool parameter = i > 1 && std::isdigit(static_cast<unsigned char>(rest[1])) != 0;
    if (i < rest.size() && rest[i] == '$' && !parameter) return behind(rest.substr(0, i + 1), at + i + 1);
  }
  return at;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

// Where the next thing that is neither blank nor comment begins.
std::size_t skip_blank(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const std::string_view pair = text.substr(at, 2);
    if (is_blank(text[at])) {
      ++at;
    } else if (pair == "--" || pair == "/*") {
      at = skip_opaque(text, at);
    } else {
      break;
    }
  }
  return at;
}

std::string first_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (!is_word(c)) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return word;
}

int line_of(std::string_view text, std::size_t at) {
  return 1 + static_cast<int>(std::ranges::count(text.substr(0, at), '\n'));
}

}  // namespace

Result<FrontComment> parse_front_comment(std::string_view file) {
  FrontComment comment;
  std::vector<Entry> entries;
  int line = 0;
  while (file.substr(comment.end).starts_with("--")) {
    ++line;
    const std::size_t stop = std::min(file.find('\n', comment.end), file.size());
    const std::string_view content = file.substr(comment.end + 2, stop - comment.end - 2);
    comment.end = std::min(stop + 1, file.size());
    if (content.starts_with("  ") && !entries.empty()) {
      entries.back().value += fmt::format(" {}", trimmed(content));
      continue;
    }
    TRY_ASSIGN(Entry entry, parse_entry(content, line));
    if (std::ranges::find(entries, entry.key, &Entry::key) != entries.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("line {}: `{}` is given twice", line, entry.key));
    }
    entries.push_back(std::move(entry));
  }
  for (const Entry& entry : entries) TRY(fill(comment, entry));
  if (comment.description.empty()) {
    return fail(ErrorCode::kInvalid, "line 1: the file does not begin with a comment that has `-- description: ...`");
  }
  return comment;
}

Result<std::string> single_select(std::string_view text) {
  const std::size_t begin = skip_blank(text, 0);
  std::size_t word_at = begin;
  while (word_at < text.size() && (text[word_at] == '(' || is_blank(text[word_at]))) ++word_at;
  const std::string word = first_word(text.substr(word_at));
  if (word != "SELECT" && word != "WITH") {
    return fail(ErrorCode::kInvalid, fmt::format("line {}: expected one SELECT (or WITH ... SELECT), found {}",
                                                 line_of(text, word_at), word.empty() ? "no statement" : word));
  }
  std::size_t at = begin;
  while (at < text.size() && text[at] != ';') at = std::max(at + 1, skip_opaque(text, at));
  const std::size_t next = at < text.size() ? skip_blank(text, at + 1) : text.size();
  if (next < text.size()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("line {}: a second statement begins here; a file holds one SELECT", line_of(text, next)));
  }
  std::string statement(text.substr(begin, at - begin));
  while (!statement.empty() && is_blank(statement.back())) statement.pop_back();
  return statement;
}

}  // namespace pinflow::sql::internal
