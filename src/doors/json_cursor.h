#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinflow::doors {

enum class JsonKind { kObject, kArray, kString, kNumber, kBoolean, kNull };

// Walks a JSON text once, front to back, checking every byte of it (RFC 8259, UTF-8) and handing out exact source slices: what a
// client sent is what is stored, so nothing is decoded and written again. Numbers of any length pass. The text must
// outlive the cursor and its slices. Errors are kInvalid and say what is wrong and at which line and column; after one
// the cursor is of no more use. A value type for one thread.
//
//   TRY(cursor.begin_object());
//   for (;;) {
//     TRY_ASSIGN(const auto name, cursor.next_member());
//     if (!name) break;
//     TRY_ASSIGN(const auto slice, cursor.value());
//   }
class JsonCursor {
 public:
  static constexpr std::size_t kMaxDepth = 512;

  explicit JsonCursor(std::string_view text) : text_(text) {}

  // The kind of the next value, judged by its first byte.
  Result<JsonKind> peek();
  Result<void> begin_object();
  // The decoded name of the next member, whose value follows; empty at the end of the object.
  Result<std::optional<std::string>> next_member();
  Result<void> begin_array();
  // True if an element follows; false at the end of the array.
  Result<bool> next_element();
  // Passes one value of any kind; returns its bytes without the white space around.
  Result<std::string_view> value();
  // Checks that nothing but white space follows.
  Result<void> end();
  // "line 1, column 18": where the cursor stands, columns in bytes.
  std::string place() const;

  // The text of a string slice (with its quotes) that value() gave. A surrogate without its pair becomes U+FFFD.
  static std::string decode_string(std::string_view slice);

 private:
  bool pass_value();
  bool pass_scalar();
  bool pass_string();
  bool pass_escape();
  bool pass_number();
  bool pass_literal(std::string_view literal);
  bool pass_member_name();
  bool pass(char expected, std::string_view what);
  void skip_space();
  bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  bool problem(std::string_view what);
  std::unexpected<Error> failure() const;

  std::string_view text_;
  std::size_t position_ = 0;
  std::vector<bool> first_;  // For each begun object and array: nothing of it was read yet.
  std::string problem_;
};

}  // namespace pinflow::doors
