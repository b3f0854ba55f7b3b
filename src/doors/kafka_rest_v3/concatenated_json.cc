#include "doors/kafka_rest_v3/concatenated_json.h"

#include <fmt/core.h>

namespace pinflow::doors::kafka_rest_v3 {

namespace {
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
}  // namespace

void ConcatenatedJson::add(std::string_view piece) {
  text_.erase(0, begin_);
  begin_ = 0;
  text_ += piece;
}

Result<std::string_view> ConcatenatedJson::next() {
  while (position_ == 0 && begin_ < text_.size() && is_space(text_[begin_])) ++begin_;
  for (; begin_ + position_ < text_.size(); ++position_) {
    const char c = text_[begin_ + position_];
    if (position_ == 0 && c != '{') return fail(ErrorCode::kInvalid, "each record must be a JSON object");
    if (position_ >= max_object_)
      return fail(ErrorCode::kInvalid, fmt::format("a record is longer than {} bytes", max_object_));
    if (in_string_) {
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      const std::string_view object = std::string_view(text_).substr(begin_, position_ + 1);
      begin_ += position_ + 1;
      position_ = 0;
      return object;
    }
  }
  return std::string_view();
}

}  // namespace pinflow::doors::kafka_rest_v3
