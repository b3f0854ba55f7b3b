#include "live/event_frames.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/core.h>

#include "live/answer_json.h"
#include "live/event_variant.h"

namespace pinflow::live {

namespace {

constexpr std::size_t kNone = SIZE_MAX;
constexpr std::size_t kMinutes = 3;  // In kEventTopics. A series is no list: `k` says nothing about it.

Query query_of(std::size_t topic, std::size_t k) {
  switch (topic) {
    case 0:
      return ProfilesQuery{.k = k};
    case 1:
      return CategoriesQuery{.k = k};
    case 2:
      return CountriesQuery{.k = k};
    default:
      return MinutesQuery{};
  }
}

// The questions that the variants need, each once.
class Questions {
 public:
  explicit Questions(std::span<const std::size_t> variants) {
    for (auto& row : places_) row.fill(kNone);
    for (const std::size_t number : variants) {
      const EventVariant variant = EventVariant::of(number);
      for (std::size_t topic = 0; topic < kEventTopics.size(); ++topic) {
        if (!variant.has(topic)) continue;
        std::size_t& place = place_of(topic, variant.length);
        if (place != kNone) continue;
        place = queries_.size();
        queries_.push_back(query_of(topic, kEventLengths[variant.length]));
      }
    }
  }
  const std::vector<Query>& queries() const { return queries_; }
  std::size_t place(std::size_t topic, std::size_t length) { return place_of(topic, length); }

 private:
  std::size_t& place_of(std::size_t topic, std::size_t length) {
    return places_[topic][topic == kMinutes ? 0 : length];
  }

  std::array<std::array<std::size_t, kEventLengths.size()>, kEventTopics.size()> places_;
  std::vector<Query> queries_;
};

}  // namespace

std::vector<std::pair<std::size_t, EventFramePtr>> make_event_frames(LiveAnswers& metrics,
                                                                     std::span<const std::size_t> variants,
                                                                     std::uint64_t least_id) {
  std::vector<std::pair<std::size_t, EventFramePtr>> frames;
  if (variants.empty()) return frames;
  Questions questions(variants);
  const std::vector<Answer> answers = metrics.answer_all(questions.queries());
  const Head& moment = answers.front().head;
  const auto millis = std::max<std::int64_t>(moment.as_of.time_since_epoch().count(), 0);
  const std::uint64_t id = std::max(static_cast<std::uint64_t>(millis), least_id + 1);
  const std::string head = fmt::format("event: head\ndata: {}\n\n", head_json(moment, metrics.weights()));
  std::vector<std::string> items;
  items.reserve(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) items.push_back(item_json(questions.queries()[i], answers[i]));
  for (const std::size_t number : variants) {
    const EventVariant variant = EventVariant::of(number);
    EventFrame frame{.id = id, .text = head};
    for (std::size_t topic = 0; topic < kEventTopics.size(); ++topic) {
      if (!variant.has(topic)) continue;
      // Who loses the connection within a frame has not seen its id, and gets all of it again.
      const bool last = variant.topics >> (topic + 1) == 0;
      frame.text += fmt::format("event: {}\n{}data: {}\n\n", kEventTopics[topic],
                                last ? fmt::format("id: {}\n", id) : std::string(),
                                items[questions.place(topic, variant.length)]);
    }
    frames.emplace_back(number, std::make_shared<const EventFrame>(std::move(frame)));
  }
  return frames;
}

}  // namespace pinflow::live
