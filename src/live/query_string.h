#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "live/live_query.h"

// The questions as requests spell them (docs/live-metrics.md). kInvalid names what is wrong and what is allowed.
namespace pinflow::live {

Result<Query> parse_profiles(const http::Request& request);
Result<Query> parse_profile(const http::Request& request);
Result<Query> parse_categories(const http::Request& request);
Result<Query> parse_countries(const http::Request& request);
Result<Query> parse_age_groups(const http::Request& request);
Result<Query> parse_minutes(const http::Request& request);
Result<Query> parse_recommendations(const http::Request& request);

// As answers spell it too.
std::string_view to_string(ProfileOrder order);
std::string_view to_string(CategoryOrder order);
std::string_view to_string(Window window);

}  // namespace pinflow::live
