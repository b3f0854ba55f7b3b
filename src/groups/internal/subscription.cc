#include "groups/internal/subscription.h"

#include "groups/internal/wire_bytes.h"

namespace pinflow::groups {

std::optional<std::vector<std::string>> subscribed_topics(std::string_view metadata) {
  ByteReader reader(metadata);
  if (reader.integer<std::int16_t>() < 0) return std::nullopt;  // The version; later ones add fields behind the topics.
  std::vector<std::string> topics(reader.count(2));
  for (std::string& topic : topics) topic = reader.take(reader.integer<std::uint16_t>());
  if (!reader.ok()) return std::nullopt;
  return topics;
}

}  // namespace pinflow::groups
