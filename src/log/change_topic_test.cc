#include "log/change_topic.h"

#include <thread>

#include <gtest/gtest.h>

#include "log/testing/memory_log.h"

namespace pinflow::log {
namespace {

TEST(ChangeTopic, LosesNoChangeThatAnotherMakesInTheSameMoment) {
  constexpr int kChanges = 500;
  MemoryLog log;
  ASSERT_TRUE(log.create_topic({"t", 1, {}}));
  const auto add_often = [&](const std::string& name) {
    for (int i = 0; i < kChanges; ++i) {
      const auto changed = change_topic(log, "t", [&](const Topic& topic) -> Result<TopicConfigs> {
        TopicConfigs configs = topic.configs;
        configs.emplace_back(name, std::to_string(i));
        return configs;
      });
      EXPECT_TRUE(changed);
    }
  };
  std::thread other(add_often, "a");
  add_often("b");
  other.join();
  EXPECT_EQ(log.topic("t")->configs.size(), 2U * kChanges);
}

TEST(ChangeTopic, ChangesNothingWhereNothingCanBeMade) {
  MemoryLog log;
  ASSERT_TRUE(log.create_topic({"t", 1, {{"a", "1"}}}));
  const auto refused = change_topic(
      log, "t", [](const Topic&) -> Result<TopicConfigs> { return fail(ErrorCode::kConflict, "one is there twice"); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "one is there twice");
  EXPECT_EQ(log.topic("t")->configs, (TopicConfigs{{"a", "1"}}));
  const auto gone = change_topic(log, "none", [](const Topic& topic) -> Result<TopicConfigs> { return topic.configs; });
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace pinflow::log
