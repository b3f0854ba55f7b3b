#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pinflow {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the result
// always parses.
void append_json_string(std::string& out, std::string_view text);

// Writes one JSON document, compact, commas and quotes by itself. Calls must form a valid document; a CHECK
// holds this. Not thread-safe. `std::move(writer).take()` gives the text once every begin has its end.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);  // NaN and infinities, which JSON lacks, are written as null.
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // Pastes text that already is one JSON value.
  JsonWriter& raw(std::string_view json);
  std::string take() &&;

 private:
  void before_value();
  std::string out_;
  int depth_ = 0;
  bool need_comma_ = false;
};

}  // namespace pinflow
