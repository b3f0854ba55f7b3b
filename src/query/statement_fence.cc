#include "query/statement_fence.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "query/internal/allowed_functions.h"

namespace pinflow::query {

namespace {

using Element = simdjson::dom::element;
using Object = simdjson::dom::object;

constexpr std::string_view kStatements =
    "one SELECT, WITH, VALUES, FROM, DESCRIBE, SUMMARIZE, SHOW TABLES or EXPLAIN of them is allowed";

constexpr std::array<std::string_view, 18> kClasses = {
    "BETWEEN",  "CASE",     "CAST",     "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION",
    "CONSTANT", "DEFAULT",  "FUNCTION", "LAMBDA",  "LAMBDA_REF", "OPERATOR",   "POSITIONAL_REFERENCE",
    "STAR",     "SUBQUERY", "WINDOW",   "TYPE"};

constexpr std::array<std::string_view, 18> kNodes = {"SELECT_NODE",
                                                     "SET_OPERATION_NODE",
                                                     "RECURSIVE_CTE_NODE",
                                                     "CTE_NODE",
                                                     "BASE_TABLE",
                                                     "SUBQUERY",
                                                     "JOIN",
                                                     "TABLE_FUNCTION",
                                                     "EXPRESSION_LIST",
                                                     "EMPTY",
                                                     "PIVOT",
                                                     "SHOW_REF",
                                                     "LIMIT_MODIFIER",
                                                     "LIMIT_PERCENT_MODIFIER",
                                                     "ORDER_MODIFIER",
                                                     "DISTINCT_MODIFIER",
                                                     "CTE",
                                                     "COLUMN_DATA"};

constexpr std::array<std::string_view, 3> kOrders = {"ORDER_DEFAULT", "ASCENDING", "DESCENDING"};

bool is_one_of(std::string_view word, auto& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view text_of(Object object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool is_set(Object object, std::string_view key) {
  Element value;
  return object[key].get(value) == simdjson::SUCCESS && !value.is_null();
}

std::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("{}; see docs/sql.md", what));
}

class Walk final {
 public:
  explicit Walk(const std::map<std::string, bool>& tables) : tables_(tables) {}

  // Names that WITH gives. A name counts everywhere in the statement: as it is plain, nothing but a table can be meant by it.
  void collect_names(Element element) {
    if (element.is_array()) {
      for (const Element child : simdjson::dom::array(element)) collect_names(child);
    } else if (element.is_object()) {
      for (const auto [key, value] : Object(element)) {
        if (key == "cte_map") collect_map(value);
        if (key == "cte_name" && value.is_string()) add_name(std::string_view(value));
        collect_names(value);
      }
    }
  }

  Result<void> check(Element element) {
    if (element.is_array()) {
      for (const Element child : simdjson::dom::array(element)) TRY(check(child));
    } else if (element.is_object()) {
      const Object object(element);
      TRY(check_object(object));
      for (const auto [key, value] : object) TRY(check(value));
    }
    return {};
  }

 private:
  void collect_map(Element map) {
    Element entries;
    if (map["map"].get(entries) != simdjson::SUCCESS || !entries.is_array()) return;
    for (const Element entry : simdjson::dom::array(entries)) {
      if (entry.is_object()) add_name(text_of(Object(entry), "key"));
    }
  }

  void add_name(std::string_view name) {
    if (is_plain_name(name)) names_.insert(in_small_letters(name));
  }

  Result<void> check_object(Object object) {
    const std::string_view kind = text_of(object, "class");
    const std::string_view type = text_of(object, "type");
    if (kind == "PARAMETER") return refuse("parameters ($1, ?) have no values here");
    if (!kind.empty() && !is_one_of(kind, kClasses)) return refuse(fmt::format("{} is not allowed", kind));
    if (kind.empty() && !type.empty()) TRY(check_node(object, type));
    if (is_set(object, "function_name") && !text_of(object, "function_name").empty()) TRY(check_function(object));
    return {};
  }

  Result<void> check_node(Object object, std::string_view type) {
    if (type == "BASE_TABLE") return check_table(object);
    if (type == "SHOW_REF") {
      if (is_set(object, "query") || text_of(object, "table_name") == "\"tables\"") return {};
      return refuse("of SHOW and DESCRIBE only SHOW TABLES and DESCRIBE of a table or query are allowed");
    }
    if (type == "PIVOT" && !text_of(object, "pivot_enum").empty()) return refuse("PIVOT with an enum is not allowed");
    if (type == "TABLE_FUNCTION") {
      Element function;
      if (object["function"].get(function) != simdjson::SUCCESS || !function.is_object())
        return refuse("a table function without a name is not allowed");
      table_function_ = text_of(Object(function), "function_name");
      const std::string name = in_small_letters(table_function_);
      if (!internal::is_allowed_table_function(name))
        return refuse(fmt::format("the table function {}() is not allowed", name));
      return {};
    }
    if (is_one_of(type, kNodes) || is_one_of(type, kOrders) || type.ends_with("_TYPE_INFO")) return {};
    return refuse(fmt::format("{} is not allowed", type));
  }

  Result<void> check_table(Object object) {
    const std::string_view name = text_of(object, "table_name");
    const std::string_view schema = text_of(object, "schema_name");
    const std::string_view catalog = text_of(object, "catalog_name");
    if (is_set(object, "at_clause")) return refuse("AT is not allowed; ask for a time of all tables with as_of");
    if (!catalog.empty() || !(schema.empty() || schema == "main"))
      return refuse(fmt::format("only the tables of pinflow can be read, not {}.{}", schema, name));
    if (!is_plain_name(name)) return refuse(fmt::format("'{}' is no table; files cannot be read", name));
    const std::string small = in_small_letters(name);
    if (names_.contains(small)) return {};
    const auto table = tables_.find(small);
    if (table == tables_.end()) {
      std::string all;
      for (const auto& [known, at_hand] : tables_) all += (all.empty() ? "" : ", ") + known;
      return fail(ErrorCode::kNotFound, fmt::format("there is no table '{}'. The tables are: {}", name, all));
    }
    if (!table->second) return refuse(fmt::format("write the name of table {} plainly", small));
    return {};
  }

  Result<void> check_function(Object object) {
    const std::string name = in_small_letters(text_of(object, "function_name"));
    const std::string_view schema = text_of(object, "schema");
    if (!text_of(object, "catalog").empty() || !(schema.empty() || schema == "main"))
      return refuse(fmt::format("functions are called without a schema, not as {}.{}()", schema, name));
    // The function of a table function comes right after its node, and was looked up in the list of those.
    const bool is_table_function = !table_function_.empty() && in_small_letters(table_function_) == name;
    table_function_ = {};
    if (is_table_function || internal::is_allowed_function(name)) return {};
    return refuse(fmt::format("the function {}() is not allowed", name));
  }

  const std::map<std::string, bool>& tables_;
  std::set<std::string, std::less<>> names_;
  std::string_view table_function_;
};

std::string_view without_blanks(std::string_view text) {
  while (true) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n\f\v"), text.size());
    text.remove_prefix(begin);
    if (text.starts_with("--")) {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (text.starts_with("/*")) {
      const std::size_t end = text.find("*/", 2);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    } else {
      return text;
    }
  }
}

// Takes `word` away where the text begins with it.
bool take_word(std::string_view& text, std::string_view word) {
  if (in_small_letters(text.substr(0, word.size())) != word) return false;
  if (text.size() > word.size() && is_plain_name(text.substr(word.size(), 1))) return false;
  text = without_blanks(text.substr(word.size()));
  return true;
}

}  // namespace

Result<void> check_tree(std::string_view tree, const std::map<std::string, bool>& tables) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(tree).get(root) != simdjson::SUCCESS || !root.is_object())
    return refuse("the statement is nested too deeply");
  bool wrong = true;
  if (root["error"].get(wrong) != simdjson::SUCCESS || wrong) {
    const std::string_view type = text_of(Object(root), "error_type");
    if (type != "parser") return refuse(fmt::format("not allowed: {}", kStatements));
    return fail(ErrorCode::kInvalid, fmt::format("{} (at character {})", text_of(Object(root), "error_message"),
                                                 text_of(Object(root), "position")));
  }
  simdjson::dom::array statements;
  if (root["statements"].get(statements) != simdjson::SUCCESS || statements.size() != 1)
    return refuse(fmt::format("exactly {}", kStatements));
  Walk walk(tables);
  walk.collect_names(root);
  return walk.check(root);
}

Explained split_explain(std::string_view statement) {
  std::string_view text = without_blanks(statement);
  if (!take_word(text, "explain")) return {{}, statement};
  return take_word(text, "analyze") ? Explained{"EXPLAIN ANALYZE ", text} : Explained{"EXPLAIN ", text};
}

bool is_plain_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return small;
}

}  // namespace pinflow::query
