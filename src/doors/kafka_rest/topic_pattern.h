#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::doors::kafka_rest {

// A regular expression over names of topics, which must match whole names. It costs time linear in the name, whatever the pattern
// (RE2: no back references, no look-around). Immutable.
class TopicPattern final {
 public:
  static constexpr std::size_t kMostLength = 1'000;
  // kInvalid: says what is wrong with it.
  static Result<TopicPattern> make(std::string_view pattern);
  TopicPattern(TopicPattern&&) noexcept;
  TopicPattern& operator=(TopicPattern&&) noexcept;
  ~TopicPattern();
  bool matches(std::string_view topic) const;

 private:
  struct Compiled;
  explicit TopicPattern(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace pinflow::doors::kafka_rest
