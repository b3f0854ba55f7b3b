#include "live/event_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live/event_variant.h"
#include "live/fake_answers_fixture.h"

namespace pinflow::live {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::size_t kProfiles5 = EventVariant{.topics = 0b0001, .length = 0}.number();
constexpr std::size_t kProfilesAndMinutes5 = EventVariant{.topics = 0b1001, .length = 0}.number();
constexpr std::size_t kAll10 = EventVariant{}.number();

TEST(EventFrames, AreEventsWithTheIdAtTheLast) {
  FakeAnswers metrics;
  const auto frames = make_event_frames(metrics, std::array{kProfilesAndMinutes5}, 0);
  ASSERT_EQ(frames.size(), 1);
  EXPECT_EQ(frames[0].first, kProfilesAndMinutes5);
  EXPECT_EQ(frames[0].second->id, 1'700'000'000'000);
  const std::string& text = frames[0].second->text;
  EXPECT_THAT(text, StartsWith("event: head\ndata: {\"formula_version\":2,"));
  EXPECT_THAT(text, HasSubstr("}\n\nevent: profiles\ndata: {\"formula_version\":2,"));
  EXPECT_THAT(text, HasSubstr("}\n\nevent: minutes\nid: 1700000000000\ndata: {\"formula_version\":2,"));
  EXPECT_THAT(text, testing::EndsWith("]}\n\n"));
  EXPECT_EQ(text.find("id: "), text.rfind("id: "));
  EXPECT_THAT(text, Not(HasSubstr("event: countries")));
}

TEST(EventFrames, OfOneMomentAskEachQuestionOnce) {
  FakeAnswers metrics;
  const auto frames = make_event_frames(metrics, std::array{kProfiles5, kProfilesAndMinutes5, kAll10}, 0);
  EXPECT_EQ(metrics.calls, 1);
  EXPECT_EQ(metrics.asked.size(), 2 + 4 - 1);  // The minutes are the same for all.
  EXPECT_EQ(frames.size(), 3);
  EXPECT_THAT(frames[2].second->text, HasSubstr("event: categories\n"));
}

TEST(EventFrames, HaveIdsThatRiseWhenTheClockDoesNot) {
  FakeAnswers metrics;
  const auto frames = make_event_frames(metrics, std::array{kProfiles5}, 1'800'000'000'000);
  EXPECT_EQ(frames[0].second->id, 1'800'000'000'001);
}

TEST(EventFrames, AskNothingForNobody) {
  FakeAnswers metrics;
  EXPECT_TRUE(make_event_frames(metrics, {}, 0).empty());
  EXPECT_EQ(metrics.calls, 0);
}

}  // namespace
}  // namespace pinflow::live
