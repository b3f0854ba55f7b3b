#include "live/event_variant.h"

namespace pinflow::live {

Result<EventVariant> parse_event_variant(const QueryReader::Pairs& query) {
  QueryReader in(query);
  EventVariant variant;
  const auto included = in.some_of("include", kEventTopics);
  const std::size_t k = in.one_of("k", kEventLengths[variant.length], kEventLengths);
  TRY(in.finish());
  if (!included.empty()) {
    variant.topics = 0;
    for (std::size_t i = 0; i < included.size(); ++i) {
      if (included[i]) variant.topics |= std::size_t{1} << i;
    }
  }
  variant.length = 0;
  while (kEventLengths[variant.length] != k) ++variant.length;
  return variant;
}

}  // namespace pinflow::live
