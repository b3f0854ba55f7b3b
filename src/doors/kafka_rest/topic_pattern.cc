#include "doors/kafka_rest/topic_pattern.h"

#include <re2/re2.h>

#include <fmt/core.h>

namespace pinflow::doors::kafka_rest {

namespace {
constexpr std::int64_t kMostMemory = 1 << 20;  // Of a compiled pattern.

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  return options;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}
}  // namespace

struct TopicPattern::Compiled {
  explicit Compiled(std::string_view pattern) : expression(piece(pattern), options()) {}
  RE2 expression;
};

TopicPattern::TopicPattern(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
TopicPattern::TopicPattern(TopicPattern&&) noexcept = default;
TopicPattern& TopicPattern::operator=(TopicPattern&&) noexcept = default;
TopicPattern::~TopicPattern() = default;

Result<TopicPattern> TopicPattern::make(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > kMostLength)
    return fail(ErrorCode::kInvalid,
                fmt::format("a topic_pattern has 1 to {} bytes, not {}", kMostLength, pattern.size()));
  auto compiled = std::make_unique<const Compiled>(pattern);
  if (!compiled->expression.ok())
    return fail(ErrorCode::kInvalid, fmt::format("topic_pattern is no regular expression that is understood here: {}",
                                                 compiled->expression.error()));
  return TopicPattern(std::move(compiled));
}

bool TopicPattern::matches(std::string_view topic) const {
  return RE2::FullMatch(piece(topic), compiled_->expression);
}

}  // namespace pinflow::doors::kafka_rest
