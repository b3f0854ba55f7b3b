#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "live/query_reader.h"

// What a frame of the event stream shows: some topics, with lists of one of a few lengths. So there are few kinds of frames, each made
// once for all who follow it.
namespace pinflow::live {

inline constexpr std::array<std::string_view, 4> kEventTopics = {"profiles", "categories", "countries", "minutes"};
inline constexpr std::array<std::size_t, 5> kEventLengths = {5, 10, 20, 50, 100};

struct EventVariant {
  static constexpr std::size_t kTopicSets = std::size_t{1}
                                            << kEventTopics.size();  // The empty one included, which is not used.
  static constexpr std::size_t kCount = kTopicSets * kEventLengths.size();

  std::size_t topics = kTopicSets - 1;  // A bit for each of kEventTopics.
  std::size_t length = 1;               // In kEventLengths.

  constexpr bool has(std::size_t topic) const { return (topics >> topic & 1) != 0; }
  constexpr std::size_t number() const { return topics * kEventLengths.size() + length; }
  static constexpr EventVariant of(std::size_t number) {
    return {.topics = number / kEventLengths.size(), .length = number % kEventLengths.size()};
  }
  friend bool operator==(const EventVariant&, const EventVariant&) = default;
};

// ?include=profiles,minutes&k=20. kInvalid names what is allowed.
Result<EventVariant> parse_event_variant(const QueryReader::Pairs& query);

}  // namespace pinflow::live
