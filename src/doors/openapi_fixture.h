#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "doors/openapi.h"
#include "http/message.h"

namespace pinflow::doors {

// What openapi.json says, for tests that hold it against what happens.
class OpenApi {
 public:
  using Element = simdjson::dom::element;

  OpenApi() : root_(parser_.parse(openapi_document())) {}

  // Each operation as {method, pattern}, like Router::routes().
  std::set<std::pair<std::string, std::string>> operations() const {
    std::set<std::pair<std::string, std::string>> all;
    for (const auto [path, item] : simdjson::dom::object(root_["paths"])) {
      for (const auto [method, operation] : simdjson::dom::object(item)) {
        std::string upper(method);
        for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
        all.emplace(upper, std::string(path));
      }
    }
    return all;
  }

  // Says where an answer is not as the document has it; empty: nowhere.
  std::string complaint(std::string_view method, std::string_view pattern, const http::Response& response) const {
    std::string lower(method);
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    Element operation;
    if (root_["paths"][pattern][lower].get(operation) != simdjson::SUCCESS) return "no such operation";
    Element told;
    if (operation["responses"][std::to_string(response.status)].get(told) != simdjson::SUCCESS)
      return fmt::format("the status {} is not told", response.status);
    told = resolve(told);
    Element content;
    if (told["content"].get(content) != simdjson::SUCCESS)
      return response.body.empty() ? "" : "a body that is not told";
    const auto [type, media] = *simdjson::dom::object(content).begin();
    const auto sent = response.headers.get("Content-Type").value_or("");
    const auto is_error = response.status >= 400;  // The server's own refusals are plain JSON at every door.
    if (!sent.starts_with(type) && !(is_error && sent == "application/json"))
      return fmt::format("the type {} in place of {}", sent, type);
    if (!type.ends_with("json")) return "";
    simdjson::dom::parser parser;
    Element body;
    if (parser.parse(response.body).get(body) != simdjson::SUCCESS) return "no JSON";
    return complaint(media["schema"], body, "");
  }

 private:
  Element resolve(Element element) const {
    std::string_view reference;
    if (element["$ref"].get(reference) != simdjson::SUCCESS) return element;
    return root_.at_pointer(reference.substr(1));
  }

  static bool is_of(Element value, std::string_view type) {
    switch (value.type()) {
      case simdjson::dom::element_type::OBJECT:
        return type == "object";
      case simdjson::dom::element_type::ARRAY:
        return type == "array";
      case simdjson::dom::element_type::STRING:
        return type == "string";
      case simdjson::dom::element_type::INT64:
      case simdjson::dom::element_type::UINT64:
        return type == "integer" || type == "number";
      case simdjson::dom::element_type::DOUBLE:
        return type == "number";
      case simdjson::dom::element_type::BOOL:
        return type == "boolean";
      case simdjson::dom::element_type::NULL_VALUE:
        return type == "null";
    }
    return false;
  }

  static bool has_type(Element schema, Element value) {
    Element types;
    if (schema["type"].get(types) != simdjson::SUCCESS) return true;
    std::string_view type;
    if (types.get(type) == simdjson::SUCCESS) return is_of(value, type);
    for (const Element each : simdjson::dom::array(types))
      if (is_of(value, std::string_view(each))) return true;
    return false;
  }

  std::string complaint(Element schema, Element value, const std::string& where) const {
    schema = resolve(schema);
    if (!has_type(schema, value)) return where + ": wrong type";
    Element constant;
    if (schema["const"].get(constant) == simdjson::SUCCESS && simdjson::minify(constant) != simdjson::minify(value))
      return where + ": another value";
    simdjson::dom::array required;
    if (value.is_object() && schema["required"].get(required) == simdjson::SUCCESS) {
      for (const Element name : required)
        if (value[std::string_view(name)].error() != simdjson::SUCCESS)
          return fmt::format("{}: {} is missing", where, std::string_view(name));
    }
    simdjson::dom::object properties;
    if (value.is_object() && schema["properties"].get(properties) == simdjson::SUCCESS) {
      for (const auto [name, member] : simdjson::dom::object(value)) {
        Element known;
        if (properties[name].get(known) != simdjson::SUCCESS) continue;
        if (auto wrong = complaint(known, member, fmt::format("{}/{}", where, name)); !wrong.empty()) return wrong;
      }
    }
    Element items;
    if (value.is_array() && schema["items"].get(items) == simdjson::SUCCESS) {
      for (const Element each : simdjson::dom::array(value))
        if (auto wrong = complaint(items, each, where + "/[]"); !wrong.empty()) return wrong;
    }
    return "";
  }

  simdjson::dom::parser parser_;
  Element root_;
};

}  // namespace pinflow::doors
