#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinflow::sink::internal {

// A pattern of dates as the connector's path.format has it (Joda-Time's letters): Y y x M d D H k K h m s S E e a w, text in single
// quotes, any other sign as it is. Names of months and days are English. A value type.
class PathFormat {
 public:
  static Result<PathFormat> parse(std::string_view pattern);  // kInvalid: says which letter.
  std::string format(std::chrono::local_time<std::chrono::milliseconds> time) const;

 private:
  struct Piece {
    char letter = 0;  // 0: text.
    int count = 0;
    std::string text;
  };
  std::vector<Piece> pieces_;
};

}  // namespace pinflow::sink::internal
