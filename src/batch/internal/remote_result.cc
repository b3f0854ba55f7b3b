#include "batch/internal/remote_result.h"

#include <type_traits>

#include <fmt/format.h>
#include <simdjson.h>

namespace pinflow::batch::internal {

namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kFormat = 1;

// A member that must be there, of its type; the first that is not ends the reading.
class Reader {
 public:
  template <class T>
  T get(dom::element object, std::string_view name) {
    return value<T>(object[name], name);
  }
  template <class T>
  T at(dom::element array, std::size_t place) {
    dom::array items;
    if (array.get(items) != simdjson::SUCCESS) return note<T>("a list");
    return value<T>(items.at(place), "a list");
  }
  Result<void> done() const {
    if (wrong_.empty()) return {};
    return fail(ErrorCode::kCorrupt, fmt::format("'{}' is missing or of another type", wrong_));
  }

 private:
  // What stands for a member that is missing.
  template <class T>
  T nothing() {
    if constexpr (std::is_same_v<T, dom::array>) return empty_["list"].get_array().value_unsafe();
    if constexpr (std::is_same_v<T, dom::object>) return empty_["object"].get_object().value_unsafe();
    if constexpr (std::is_same_v<T, dom::element>) return empty_;
    return T();
  }
  template <class T>
  T note(std::string_view name) {
    if (wrong_.empty()) wrong_ = name;
    return nothing<T>();
  }
  template <class T>
  T value(simdjson::simdjson_result<dom::element> found, std::string_view name) {
    if constexpr (std::is_same_v<T, std::string>) {
      return std::string(value<std::string_view>(found, name));
    } else {
      T read = nothing<T>();
      return found.get(read) == simdjson::SUCCESS ? read : note<T>(name);
    }
  }
  dom::parser parser_;
  // simdjson's own empty lists and objects cannot be walked.
  dom::element empty_ = parser_.parse(std::string_view(R"({"list":[],"object":{}})")).value_unsafe();
  std::string wrong_;
};

sql::Value value_of(dom::element cell) {
  switch (cell.type()) {
    case dom::element_type::NULL_VALUE:
      return {};
    case dom::element_type::BOOL:
      return {bool(cell.get_bool().value_unsafe())};
    case dom::element_type::INT64:
      return {std::int64_t(cell.get_int64().value_unsafe())};
    case dom::element_type::DOUBLE:
      return {double(cell.get_double().value_unsafe())};
    case dom::element_type::STRING:
      return {std::string(cell.get_string().value_unsafe())};
    case dom::element_type::OBJECT: {
      std::int64_t micros = 0;
      if (cell["us"].get(micros) == simdjson::SUCCESS) return {sql::Timestamp{micros}};
      return {simdjson::minify(cell)};
    }
    case dom::element_type::UINT64:
    case dom::element_type::ARRAY:
      return {simdjson::minify(cell)};
  }
  return {};
}

std::vector<std::string> texts_of(Reader& reader, dom::element object, std::string_view name) {
  std::vector<std::string> texts;
  for (const dom::element item : reader.get<dom::array>(object, name)) {
    std::string_view text;
    if (item.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

RemoteResult::Check check_of(Reader& reader, dom::element check) {
  RemoteResult::Check read{.name = reader.get<std::string>(check, "name"),
                           .findings = reader.get<std::uint64_t>(check, "findings"),
                           .sample = {.columns = texts_of(reader, check, "columns"), .types = {}, .rows = {}}};
  for (const dom::element cells : reader.get<dom::array>(check, "rows")) {
    auto& row = read.sample.rows.emplace_back();
    dom::array items;
    if (cells.get(items) == simdjson::SUCCESS) {
      for (const dom::element cell : items) row.push_back(value_of(cell));
    }
    row.resize(read.sample.columns.size());
  }
  return read;
}

void read_counts(Reader& reader, dom::element root, RemoteResult& read) {
  for (const auto& [kind, counts] : reader.get<dom::object>(root, "kinds"))
    read.cleaned_rows[std::string(kind)] = reader.get<std::uint64_t>(counts, "rows");
  for (const dom::element object : reader.get<dom::array>(root, "objects")) {
    read.objects[{reader.at<std::string>(object, 0), reader.at<std::int64_t>(object, 1),
                  reader.at<std::int64_t>(object, 2)}] = {.lines = reader.at<std::uint64_t>(object, 3),
                                                          .letters = reader.at<std::uint64_t>(object, 4)};
  }
  for (const dom::element reason : reader.get<dom::array>(root, "reasons"))
    read.reasons.emplace_back(reader.at<std::string>(reason, 0), reader.at<std::uint64_t>(reason, 1));
}

}  // namespace

Result<RemoteResult> parse_remote_result(std::string_view text) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return fail(ErrorCode::kCorrupt, "it is no JSON object");
  Reader reader;
  if (reader.get<std::int64_t>(root, "version") != kFormat)
    return fail(ErrorCode::kCorrupt, fmt::format("it is not of version {}", kFormat));
  RemoteResult read;
  std::string_view error;
  if (root["error"].get(error) == simdjson::SUCCESS) {
    read.error = error;
    return read;
  }
  read.run_id = reader.get<std::string>(root, "run");
  read_counts(reader, root, read);
  for (const dom::element check : reader.get<dom::array>(root, "checks"))
    read.checks.push_back(check_of(reader, check));
  const auto questions = reader.get<dom::element>(root, "questions");
  for (const auto& [name, columns] : reader.get<dom::object>(root, "questions"))
    read.questions[std::string(name)] = texts_of(reader, questions, name);
  for (const dom::element failure : reader.get<dom::array>(root, "failures")) {
    read.failures.push_back({.statement = reader.get<std::string>(failure, "statement"),
                             .error = reader.get<std::string>(failure, "error")});
  }
  TRY(reader.done());
  return read;
}

}  // namespace pinflow::batch::internal
