#include "log/topic_settings.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/names.h"

namespace pinflow::log {
namespace {

constexpr std::int64_t kMostInt = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostLong = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;

constexpr std::string_view kOwnPrefix = "pinflow.";

// Kafka takes 14 bytes before 4.1 and 1 MiB since; tools of both sides shall work, but no file for each record.
constexpr std::int64_t kLeastSegment = 1024;

constexpr double kDirtyRatio = 0.5;

// What Kafka allows for one setting.
struct Rule {
  std::string_view name;
  SettingType type;
  std::string_view default_value;  // Kafka's; settings that the log's options decide are filled in.
  bool has_effect;
  std::int64_t least;        // Of numbers, as is `most`.
  std::int64_t most;         // kMostLong means no limit in messages.
  std::string_view allowed;  // Of words: all of them, with commas and spaces. Empty: any text.
  std::string_view documentation;
};

using enum SettingType;

constexpr std::string_view kNever = "9223372036854775807";

constexpr Rule kRules[] = {
    {"cleanup.policy", kList, "delete", true, 0, 0, "compact, delete",
     "What happens to old records: delete (by age and size), compact (the newest of each key stays), or both."},
    {"compression.gzip.level", kInt, "-1", false, -1, 9, "",
     "Kept. Batches are stored as the producer compressed them."},
    {"compression.lz4.level", kInt, "9", false, 1, 17, "", "Kept. Batches are stored as the producer compressed them."},
    {"compression.type", kString, "producer", false, 0, 0, "uncompressed, zstd, lz4, snappy, gzip, producer",
     "Kept. Batches are stored as the producer compressed them, as with `producer`; nothing is ever recompressed."},
    {"compression.zstd.level", kInt, "3", false, -131072, 22, "",
     "Kept. Batches are stored as the producer compressed them."},
    {"delete.retention.ms", kLong, "86400000", true, 0, kMostLong, "",
     "How long compaction keeps a record without value, which says that its key is gone."},
    {"file.delete.delay.ms", kLong, "60000", false, 0, kMostLong, "",
     "Kept. Files go as soon as no reader needs them."},
    {"flush.messages", kLong, kNever, false, 1, kMostLong, "", "Kept. The log's durability level decides."},
    {"flush.ms", kLong, kNever, false, 0, kMostLong, "", "Kept. The log's durability level decides."},
    {"follower.replication.throttled.replicas", kList, "", false, 0, 0, "", "Kept. There are no followers."},
    {"index.interval.bytes", kInt, "4096", false, 0, kMostInt, "", "Kept. The log chooses the spacing of its index."},
    {"leader.replication.throttled.replicas", kList, "", false, 0, 0, "", "Kept. There are no followers."},
    {"local.retention.bytes", kLong, "-2", false, -2, kMostLong, "", "Kept. There is no remote storage."},
    {"local.retention.ms", kLong, "-2", false, -2, kMostLong, "", "Kept. There is no remote storage."},
    {"max.compaction.lag.ms", kLong, kNever, true, 1, kMostLong, "",
     "After this time a record is compacted in any case, whatever min.cleanable.dirty.ratio says."},
    {"max.message.bytes", kInt, "", true, 0, kMostInt, "", "The largest record batch that is taken, as it was sent."},
    {"message.downconversion.enable", kBoolean, "true", false, 0, 0, "", "Kept. Nothing is converted."},
    {"message.format.version", kString, "3.0-IV1", false, 0, 0, "", "Kept. All batches have format 2."},
    {"message.timestamp.after.max.ms", kLong, "3600000", true, 0, kMostLong, "",
     "How far the time of a record may lie after the time of its arrival."},
    {"message.timestamp.before.max.ms", kLong, kNever, true, 0, kMostLong, "",
     "How far the time of a record may lie before the time of its arrival."},
    {"message.timestamp.difference.max.ms", kLong, kNever, true, 0, kMostLong, "",
     "Both of the limits above where they are not set (gone from Kafka 4)."},
    {"message.timestamp.type", kString, "CreateTime", true, 0, 0, "CreateTime, LogAppendTime",
     "Whose time a record bears: its producer's, or that of its arrival."},
    {"min.cleanable.dirty.ratio", kDouble, "0.5", true, 0, 1, "",
     "The part of a partition that must be new since the last compaction before the next one."},
    {"min.compaction.lag.ms", kLong, "0", true, 0, kMostLong, "", "A younger record is not compacted."},
    {"min.insync.replicas", kInt, "1", false, 1, kMostInt, "", "Kept. There is one copy."},
    {"preallocate", kBoolean, "false", false, 0, 0, "", "Kept. Files grow as they are written."},
    {"remote.log.copy.disable", kBoolean, "false", false, 0, 0, "", "Kept. There is no remote storage."},
    {"remote.log.delete.on.disable", kBoolean, "false", false, 0, 0, "", "Kept. There is no remote storage."},
    {"remote.storage.enable", kBoolean, "false", false, 0, 0, "", "There is no remote storage: only false is taken."},
    {"retention.bytes", kLong, "", true, std::numeric_limits<std::int64_t>::min(), kMostLong, "",
     "Old segments go while a partition is larger than this. Negative: no limit."},
    {"retention.ms", kLong, "", true, -1, kMostLong, "",
     "A segment goes when its newest record is older than this. -1: no limit."},
    {"segment.bytes", kInt, "", true, kLeastSegment, kMostInt, "",
     "A segment past this is closed and a new one begun."},
    {"segment.index.bytes", kInt, "10485760", false, 4, kMostInt, "", "Kept. Indexes are as large as they must be."},
    {"segment.jitter.ms", kLong, "0", false, 0, kMostLong, "", "Kept. Segments are closed when they are due."},
    {"segment.ms", kLong, "", true, 1, kMostLong, "", "A segment older than this is closed and a new one begun."},
    {"unclean.leader.election.enable", kBoolean, "false", false, 0, 0, "", "Kept. There is one copy."},
};

// Kafka's topic settings and the broker's names for their defaults.
constexpr std::pair<std::string_view, std::string_view> kBrokerNames[] = {
    {"cleanup.policy", "log.cleanup.policy"},
    {"delete.retention.ms", "log.cleaner.delete.retention.ms"},
    {"file.delete.delay.ms", "log.segment.delete.delay.ms"},
    {"flush.messages", "log.flush.interval.messages"},
    {"flush.ms", "log.flush.interval.ms"},
    {"index.interval.bytes", "log.index.interval.bytes"},
    {"max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"},
    {"max.message.bytes", "message.max.bytes"},
    {"message.downconversion.enable", "log.message.downconversion.enable"},
    {"message.format.version", "log.message.format.version"},
    {"message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms"},
    {"message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms"},
    {"message.timestamp.difference.max.ms", "log.message.timestamp.difference.max.ms"},
    {"message.timestamp.type", "log.message.timestamp.type"},
    {"min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio"},
    {"min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms"},
    {"preallocate", "log.preallocate"},
    {"retention.bytes", "log.retention.bytes"},
    {"retention.ms", "log.retention.ms"},
    {"segment.bytes", "log.segment.bytes"},
    {"segment.jitter.ms", "log.roll.jitter.ms"},
    {"segment.ms", "log.roll.ms"},
};

const Rule* find_rule(std::string_view name) {
  const auto at = std::ranges::lower_bound(kRules, name, {}, &Rule::name);
  return at != std::end(kRules) && at->name == name ? &*at : nullptr;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Calls `each` with the parts between commas, without the spaces around them.
template <class Each>
void split(std::string_view text, Each each) {
  while (true) {
    const auto comma = text.find(',');
    each(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

bool is_one_of(std::string_view word, std::string_view allowed) {
  bool found = false;
  split(allowed, [&](std::string_view each) { found = found || each == word; });
  return found;
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  text = trim(text);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<void> refuse(const Rule& rule, std::string_view value, std::string_view allowed) {
  return fail(ErrorCode::kInvalid,
              fmt::format("Invalid value '{}' for topic setting {}: {} is allowed", value, rule.name, allowed));
}

std::string describe_range(const Rule& rule) {
  if (rule.least == std::numeric_limits<std::int64_t>::min()) return "a whole number";
  if (rule.most == kMostLong) return fmt::format("a whole number of {} or more", rule.least);
  return fmt::format("a whole number from {} to {}", rule.least, rule.most);
}

Result<void> check_value(const Rule& rule, std::string_view value) {
  switch (rule.type) {
    case kBoolean:
      if (rule.name == "remote.storage.enable" && value != "false")
        return refuse(rule, value, "there is no remote storage, so only false");
      if (value != "true" && value != "false") return refuse(rule, value, "true or false");
      return {};
    case kString:
      if (!rule.allowed.empty() && !is_one_of(value, rule.allowed))
        return refuse(rule, value, fmt::format("one of {}", rule.allowed));
      return {};
    case kList: {
      bool all = true;
      if (!rule.allowed.empty())
        split(value, [&](std::string_view part) { all = all && is_one_of(part, rule.allowed); });
      return all ? Result<void>() : refuse(rule, value, fmt::format("one or more of {}", rule.allowed));
    }
    case kDouble: {
      const auto number = parse<double>(value);
      if (!number || !(*number >= static_cast<double>(rule.least) && *number <= static_cast<double>(rule.most)))
        return refuse(rule, value, fmt::format("a number from {} to {}", rule.least, rule.most));
      return {};
    }
    case kInt:
    case kLong: {
      const auto number = parse<std::int64_t>(value);
      const bool gzip_gap = rule.name == "compression.gzip.level" && number == 0;
      if (!number || *number < rule.least || *number > rule.most || gzip_gap)
        return refuse(rule, value, describe_range(rule));
      return {};
    }
  }
  return {};
}

Error unknown(std::string_view name) {
  std::vector<std::string> names;
  for (const Rule& rule : kRules) names.emplace_back(rule.name);
  const auto near = nearest(name, names);
  return {ErrorCode::kInvalid, fmt::format("Unknown topic setting {}{}", name,
                                           near ? fmt::format(". Did you mean {}?", *near)
                                                : "; see the list of topic "
                                                  "settings")};
}

std::string default_of(const Rule& rule, const TopicDefaults& defaults) {
  if (rule.name == "retention.bytes") return std::to_string(defaults.retention_bytes);
  if (rule.name == "retention.ms") return std::to_string(defaults.retention_ms);
  if (rule.name == "segment.bytes") return std::to_string(defaults.segment_bytes);
  if (rule.name == "segment.ms") return std::to_string(defaults.segment_ms);
  if (rule.name == "max.message.bytes") return std::to_string(defaults.max_message_bytes);
  return std::string(rule.default_value);
}

// The settings as given, all of them known and checked.
class Given {
 public:
  explicit Given(const TopicConfigs& configs) : configs_(configs) {}

  // The last one counts where a name is given twice.
  const std::string* find(std::string_view name) const {
    const auto at = std::ranges::find(configs_.rbegin(), configs_.rend(), name, &TopicConfigs::value_type::first);
    return at == configs_.rend() ? nullptr : &at->second;
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise) const {
    const std::string* text = find(name);
    return text ? parse<std::int64_t>(*text).value_or(otherwise) : otherwise;
  }

 private:
  const TopicConfigs& configs_;
};

// Adds or takes items of a list; what is there already, or not, stays as it is.
std::string change_list(std::string_view now, std::string_view change, bool add) {
  std::vector<std::string_view> items;
  const auto take = [&](std::string_view text, auto each) {
    split(text, [&](std::string_view item) {
      if (!item.empty()) each(item);
    });
  };
  take(now, [&](std::string_view item) { items.push_back(item); });
  take(change, [&](std::string_view item) {
    const auto found = std::ranges::find(items, item);
    if (add && found == items.end()) items.push_back(item);
    if (!add && found != items.end()) items.erase(found);
  });
  return fmt::format("{}", fmt::join(items, ","));
}

}  // namespace

std::vector<TopicSetting> topic_setting_list(const TopicDefaults& defaults) {
  std::vector<TopicSetting> list;
  for (const Rule& rule : kRules)
    list.push_back({rule.name, rule.type, default_of(rule, defaults), rule.documentation, rule.has_effect});
  return list;
}

Result<TopicSettings> read_topic_settings(const TopicConfigs& configs, const TopicDefaults& defaults) {
  for (const auto& [name, value] : configs) {
    if (name.starts_with(kOwnPrefix)) continue;
    const Rule* rule = find_rule(name);
    if (!rule) return fail(unknown(name));
    TRY(check_value(*rule, value));
  }
  const Given given(configs);
  TopicSettings settings;
  if (const std::string* policy = given.find("cleanup.policy")) {
    settings.delete_old = is_one_of("delete", *policy);
    settings.compact = is_one_of("compact", *policy);
  }
  settings.retention_bytes = std::max<std::int64_t>(-1, given.number("retention.bytes", defaults.retention_bytes));
  settings.retention_ms = given.number("retention.ms", defaults.retention_ms);
  settings.segment_bytes = given.number("segment.bytes", defaults.segment_bytes);
  settings.segment_ms = given.number("segment.ms", defaults.segment_ms);
  settings.max_message_bytes = given.number("max.message.bytes", defaults.max_message_bytes);
  if (const std::string* type = given.find("message.timestamp.type"))
    settings.log_append_time = *type == "LogAppendTime";
  const std::string* both = given.find("message.timestamp.difference.max.ms");
  const std::int64_t difference = given.number("message.timestamp.difference.max.ms", kMostLong);
  settings.timestamp_before_max_ms = given.number("message.timestamp.before.max.ms", difference);
  settings.timestamp_after_max_ms = given.number("message.timestamp.after.max.ms", both ? difference : kHour);
  settings.delete_retention_ms = given.number("delete.retention.ms", kDay);
  settings.min_compaction_lag_ms = given.number("min.compaction.lag.ms", 0);
  settings.max_compaction_lag_ms = given.number("max.compaction.lag.ms", kMostLong);
  if (const std::string* ratio = given.find("min.cleanable.dirty.ratio"))
    settings.min_cleanable_dirty_ratio = parse<double>(*ratio).value_or(kDirtyRatio);
  if (settings.min_compaction_lag_ms > settings.max_compaction_lag_ms)
    return fail(ErrorCode::kInvalid,
                fmt::format("Invalid topic settings: min.compaction.lag.ms ({}) is above max.compaction.lag.ms ({})",
                            settings.min_compaction_lag_ms, settings.max_compaction_lag_ms));
  return settings;
}

bool is_own_setting(std::string_view name) {
  return name.starts_with(kOwnPrefix);
}

std::string_view broker_setting_name(std::string_view topic_setting) {
  const auto* const found =
      std::ranges::find(kBrokerNames, topic_setting, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(kBrokerNames) ? topic_setting : found->second;
}

const std::string* find_setting(const TopicConfigs& configs, std::string_view name) {
  const auto found = std::ranges::find(configs, name, &TopicConfigs::value_type::first);
  return found == configs.end() ? nullptr : &found->second;
}

Result<TopicConfigs> changed_settings(TopicConfigs configs, std::span<const SettingChange> changes,
                                      const TopicDefaults& defaults) {
  const auto known = topic_setting_list(defaults);
  for (const SettingChange& change : changes) {
    if (std::ranges::count(changes, change.name, &SettingChange::name) > 1)
      return fail(ErrorCode::kConflict, fmt::format("the setting {} is there twice in one request", change.name));
    const auto setting = std::ranges::find(known, change.name, &TopicSetting::name);
    if (setting == known.end())
      return fail(ErrorCode::kInvalid, fmt::format("there is no setting {} of topics", change.name));
    if (!change.value && change.operation != SettingOperation::kDelete)
      return fail(ErrorCode::kInvalid, fmt::format("the setting {} has no value", change.name));
    const bool of_list =
        change.operation == SettingOperation::kAppend || change.operation == SettingOperation::kSubtract;
    if (of_list && setting->type != kList)
      return fail(ErrorCode::kInvalid, fmt::format("the setting {} is no list", change.name));
    std::optional<std::string> value;
    if (of_list) {
      const std::string* const now = find_setting(configs, change.name);
      value = change_list(now != nullptr ? *now : setting->default_value, *change.value,
                          change.operation == SettingOperation::kAppend);
    } else if (change.operation == SettingOperation::kSet) {
      value = change.value;
    }
    std::erase_if(configs, [&](const auto& entry) { return entry.first == change.name; });
    if (value) configs.emplace_back(change.name, std::move(*value));
  }
  return configs;
}

}  // namespace pinflow::log
