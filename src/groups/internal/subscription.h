#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow::groups {

// The topics that a consumer subscribes to, from the metadata of its protocol (Kafka's ConsumerProtocolSubscription, any
// version: the topics come first). None: these bytes are something else.
std::optional<std::vector<std::string>> subscribed_topics(std::string_view metadata);

}  // namespace pinflow::groups
