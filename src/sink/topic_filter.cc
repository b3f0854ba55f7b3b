#include "sink/topic_filter.h"

#include <algorithm>
#include <re2/re2.h>

#include <fmt/format.h>

#include "sink/object_name.h"

namespace pinflow::sink {

struct TopicFilter::Regex {
  explicit Regex(const std::string& text) : re(text, RE2::Quiet) {}
  const RE2 re;
};

Result<TopicFilter> TopicFilter::make(std::vector<std::string> patterns, const std::string& regex) {
  TopicFilter filter;
  filter.patterns_ = std::move(patterns);
  if (regex.empty()) return filter;
  auto compiled = std::make_shared<const Regex>(regex);
  if (!compiled->re.ok())
    return fail(ErrorCode::kInvalid, fmt::format("'{}' is no regular expression: {}", regex, compiled->re.error()));
  filter.regex_ = std::move(compiled);
  return filter;
}

bool TopicFilter::accepts(const std::string& topic) const {
  if (std::ranges::any_of(patterns_, [&](const std::string& pattern) { return matches(pattern, topic); })) return true;
  return regex_ && !topic.starts_with("__") && RE2::FullMatch(topic, regex_->re);
}

}  // namespace pinflow::sink
