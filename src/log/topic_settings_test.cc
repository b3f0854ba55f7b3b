#include "log/topic_settings.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::log {
namespace {

using testing::HasSubstr;

TopicSettings read(const TopicConfigs& configs) {
  const auto settings = read_topic_settings(configs, {});
  EXPECT_TRUE(settings) << settings.error().message;
  return settings.value_or(TopicSettings{});
}

std::string problem(const TopicConfigs& configs) {
  const auto settings = read_topic_settings(configs, {});
  EXPECT_FALSE(settings);
  if (settings) return {};
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
  return settings.error().message;
}

TEST(TopicSettings, WithoutAnyTheLogsOptionsHold) {
  TopicDefaults defaults;
  defaults.retention_bytes = 1000;
  defaults.retention_ms = 2000;
  defaults.segment_bytes = 3000;
  defaults.segment_ms = 4000;
  defaults.max_message_bytes = 5000;
  const auto settings = read_topic_settings({}, defaults);
  ASSERT_TRUE(settings);
  EXPECT_TRUE(settings->delete_old);
  EXPECT_FALSE(settings->compact);
  EXPECT_EQ(settings->retention_bytes, 1000);
  EXPECT_EQ(settings->retention_ms, 2000);
  EXPECT_EQ(settings->segment_bytes, 3000);
  EXPECT_EQ(settings->segment_ms, 4000);
  EXPECT_EQ(settings->max_message_bytes, 5000);
  EXPECT_FALSE(settings->log_append_time);
  EXPECT_EQ(settings->timestamp_before_max_ms, INT64_MAX);
  EXPECT_EQ(settings->timestamp_after_max_ms, 3'600'000);
  EXPECT_EQ(settings->delete_retention_ms, 86'400'000);
  EXPECT_EQ(settings->min_compaction_lag_ms, 0);
  EXPECT_EQ(settings->max_compaction_lag_ms, INT64_MAX);
  EXPECT_EQ(settings->min_cleanable_dirty_ratio, 0.5);
}

TEST(TopicSettings, WhatTheTopicSaysGoesBeforeTheOptions) {
  const TopicSettings settings = read({{"retention.bytes", "1"},
                                       {"retention.ms", "2"},
                                       {"segment.bytes", "10000"},
                                       {"segment.ms", "4"},
                                       {"max.message.bytes", "5"},
                                       {"message.timestamp.type", "LogAppendTime"},
                                       {"message.timestamp.before.max.ms", "6"},
                                       {"message.timestamp.after.max.ms", "7"},
                                       {"delete.retention.ms", "900"},
                                       {"min.compaction.lag.ms", "9"},
                                       {"max.compaction.lag.ms", "100"},
                                       {"min.cleanable.dirty.ratio", "0.01"}});
  EXPECT_EQ(settings.retention_bytes, 1);
  EXPECT_EQ(settings.retention_ms, 2);
  EXPECT_EQ(settings.segment_bytes, 10000);
  EXPECT_EQ(settings.segment_ms, 4);
  EXPECT_EQ(settings.max_message_bytes, 5);
  EXPECT_TRUE(settings.log_append_time);
  EXPECT_EQ(settings.timestamp_before_max_ms, 6);
  EXPECT_EQ(settings.timestamp_after_max_ms, 7);
  EXPECT_EQ(settings.delete_retention_ms, 900);
  EXPECT_EQ(settings.min_compaction_lag_ms, 9);
  EXPECT_EQ(settings.max_compaction_lag_ms, 100);
  EXPECT_EQ(settings.min_cleanable_dirty_ratio, 0.01);
}

TEST(TopicSettings, CleanupPolicyIsAnyMixOfItsTwoWords) {
  const auto both = [](const TopicSettings& settings) { return std::pair(settings.delete_old, settings.compact); };
  EXPECT_EQ(both(read({{"cleanup.policy", "delete"}})), std::pair(true, false));
  EXPECT_EQ(both(read({{"cleanup.policy", "compact"}})), std::pair(false, true));
  EXPECT_EQ(both(read({{"cleanup.policy", "compact,delete"}})), std::pair(true, true));
  EXPECT_EQ(both(read({{"cleanup.policy", "delete, compact"}})), std::pair(true, true));
  EXPECT_THAT(problem({{"cleanup.policy", "compact,keep"}}), HasSubstr("one or more of compact, delete"));
  EXPECT_THAT(problem({{"cleanup.policy", ""}}), HasSubstr("cleanup.policy"));
}

TEST(TopicSettings, NegativeSizeOfRetentionIsNoLimit) {
  EXPECT_EQ(read({{"retention.bytes", "-7"}}).retention_bytes, -1);
  EXPECT_EQ(read({{"retention.ms", "-1"}}).retention_ms, -1);
  EXPECT_THAT(problem({{"retention.ms", "-2"}}), HasSubstr("-1 or more"));
}

TEST(TopicSettings, TheOldLimitOfTimestampsStandsForBothNewOnes) {
  const TopicSettings old = read({{"message.timestamp.difference.max.ms", "50"}});
  EXPECT_EQ(old.timestamp_before_max_ms, 50);
  EXPECT_EQ(old.timestamp_after_max_ms, 50);
  const TopicSettings mixed =
      read({{"message.timestamp.difference.max.ms", "50"}, {"message.timestamp.after.max.ms", "3"}});
  EXPECT_EQ(mixed.timestamp_before_max_ms, 50);
  EXPECT_EQ(mixed.timestamp_after_max_ms, 3);
}

TEST(TopicSettings, EachListedDefaultIsTakenBack) {
  for (const TopicSetting& setting : topic_setting_list({})) {
    const auto settings = read_topic_settings({{std::string(setting.name), setting.default_value}}, {});
    EXPECT_TRUE(settings) << settings.error().message;
    EXPECT_FALSE(setting.documentation.empty()) << setting.name;
  }
}

TEST(TopicSettings, TheListIsSortedAndShowsTheLogsOwnDefaults) {
  TopicDefaults defaults;
  defaults.retention_ms = 1234;
  const auto list = topic_setting_list(defaults);
  EXPECT_TRUE(std::ranges::is_sorted(list, {}, &TopicSetting::name));
  const auto retention = std::ranges::find(list, "retention.ms", &TopicSetting::name);
  ASSERT_NE(retention, list.end());
  EXPECT_EQ(retention->default_value, "1234");
  EXPECT_TRUE(retention->has_effect);
}

TEST(TopicSettings, WhatClientsSendOutOfHabitIsTaken) {
  // Kafka Connect, Kafka Streams, schema registries, and the tools' own examples.
  read({{"compression.type", "lz4"},
        {"flush.ms", "12345678"},
        {"flush.messages", "1"},
        {"min.insync.replicas", "2"},
        {"unclean.leader.election.enable", "true"},
        {"preallocate", "true"},
        {"segment.index.bytes", "4"},
        {"segment.jitter.ms", "0"},
        {"index.interval.bytes", "0"},
        {"file.delete.delay.ms", "10000"},
        {"message.format.version", "2.8-IV1"},
        {"message.downconversion.enable", "false"},
        {"remote.storage.enable", "false"},
        {"local.retention.ms", "-2"},
        {"leader.replication.throttled.replicas", "0:1,1:1"},
        {"follower.replication.throttled.replicas", "*"},
        {"pinflow.stream.created", "anything at all"}});
}

TEST(TopicSettings, UnknownNamesShowTheNearestKnownOne) {
  EXPECT_THAT(problem({{"retention.m", "1"}}), HasSubstr("Did you mean retention.ms?"));
  EXPECT_THAT(problem({{"dummy.doesntexist", "1"}}), HasSubstr("dummy.doesntexist"));
}

TEST(TopicSettings, ValuesOutOfBoundsAreRefusedByName) {
  const std::pair<std::string, std::string> wrong[] = {
      {"segment.bytes", "1023"},
      {"segment.bytes", "2147483648"},
      {"segment.bytes", "many"},
      {"segment.bytes", "4096 bytes"},
      {"segment.bytes", ""},
      {"segment.ms", "0"},
      {"max.message.bytes", "-1"},
      {"message.timestamp.type", "createtime"},
      {"min.cleanable.dirty.ratio", "1.5"},
      {"min.cleanable.dirty.ratio", "nan"},
      {"min.insync.replicas", "0"},
      {"preallocate", "yes"},
      {"compression.type", "brotli"},
      {"compression.gzip.level", "0"},
      {"remote.storage.enable", "true"},
      {"delete.retention.ms", "9223372036854775808"},
  };
  for (const auto& setting : wrong) {
    const std::string message = problem({setting});
    EXPECT_THAT(message, HasSubstr(setting.first));
    EXPECT_THAT(message, HasSubstr("'" + setting.second + "'"));
    EXPECT_THAT(message, HasSubstr("allowed"));
  }
}

TEST(TopicSettings, TheLagsOfCompactionMustNotCross) {
  EXPECT_THAT(problem({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "9"}}),
              HasSubstr("max.compaction.lag.ms"));
}

TEST(TopicSettings, OfTwoOfOneNameTheLastCounts) {
  EXPECT_EQ(read({{"retention.ms", "1"}, {"retention.ms", "2"}}).retention_ms, 2);
}

}  // namespace
}  // namespace pinflow::log
