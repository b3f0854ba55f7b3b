#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::doors::kafka_rest_v3 {

// Cuts JSON objects that follow each other, with or without white space between, out of text that comes in pieces. It finds
// where an object ends and no more: who takes one checks it. Every byte is looked at once. Holds at most one unfinished object of
// `max_object` bytes, beside the piece added last. A value for one thread.
class ConcatenatedJson {
 public:
  explicit ConcatenatedJson(std::size_t max_object) : max_object_(max_object) {}

  void add(std::string_view piece);
  // The next whole object, good until the next call; empty: none is whole yet. kInvalid: what follows begins no object, or is too
  // large; no further call then.
  Result<std::string_view> next();
  // False: an object has begun and is not whole.
  bool at_border() const { return position_ == 0 && begin_ == text_.size(); }

 private:
  std::string text_;
  const std::size_t max_object_;
  std::size_t begin_ = 0;     // What lies before was given out.
  std::size_t position_ = 0;  // How far behind begin_ was looked at; 0 between objects.
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace pinflow::doors::kafka_rest_v3
