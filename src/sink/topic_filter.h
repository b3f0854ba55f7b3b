#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace pinflow::sink {

// Which topics are sunk: names, patterns with '*', and a regular expression that must match the whole name (topics.regex). A value
// type; safe from any thread.
class TopicFilter {
 public:
  // kInvalid: no regular expression, with what is wrong with it.
  static Result<TopicFilter> make(std::vector<std::string> patterns, const std::string& regex);
  bool accepts(const std::string& topic) const;

 private:
  struct Regex;
  std::vector<std::string> patterns_;
  std::shared_ptr<const Regex> regex_;  // Shared by copies; never changed.
};

}  // namespace pinflow::sink
