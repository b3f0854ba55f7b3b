#include "app/kafka_report.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "app/terminal.h"
#include "base/json.h"

namespace pinflow::app {

namespace {

// Characters, not bytes, so that columns stand straight with names that are not ASCII.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string count_or_dash(std::optional<std::int64_t> count) {
  return count ? human_count(*count) : "-";
}

void write_count(JsonWriter& json, std::string_view key, std::optional<std::int64_t> count) {
  json.key(key);
  count ? json.integer(*count) : json.null();
}

void write_partition(JsonWriter& json, const TopicPartitionName& partition) {
  json.key("topic").string(partition.topic).key("partition").integer(partition.partition);
}

std::string line(JsonWriter&& json) {
  return std::move(json).take() + "\n";
}

std::optional<std::int64_t> between(std::optional<std::int64_t> begin, std::optional<std::int64_t> end) {
  if (!begin || !end) return std::nullopt;
  return *end - *begin;
}

template <class Int>
bool parse_whole(std::string_view text, Int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Takes digits of a fixed count from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count || !std::ranges::all_of(text.substr(0, count), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  parse_whole(text.substr(0, count), value);
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || !any_of.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::milliseconds> parse_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute) return std::nullopt;
  int second = 0;
  int millisecond = 0;
  if (take(text, ":")) {
    const auto digits = take_digits(text, 2);
    if (!digits) return std::nullopt;
    second = *digits;
    if (take(text, ".")) {
      const auto fraction = take_digits(text, 3);
      if (!fraction) return std::nullopt;
      millisecond = *fraction;
    }
  }
  take(text, "Z");
  if (*hour > 23 || *minute > 59 || second > 59) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(second) +
         std::chrono::milliseconds(millisecond);
}

std::optional<WallTime> parse_utc(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  WallTime time = std::chrono::sys_days(date);
  if (take(text, "T ")) {
    const auto since_midnight = parse_time_of_day(text);
    if (!since_midnight) return std::nullopt;
    time += *since_midnight;
  }
  if (!text.empty()) return std::nullopt;
  return time;
}

std::string topic_text(const TopicDescription& topic) {
  std::string text = fmt::format("topic {}: {} partition{}, {} replica{}{}\n", topic.name, topic.partitions.size(),
                                 topic.partitions.size() == 1 ? "" : "s", topic.replicas,
                                 topic.replicas == 1 ? "" : "s", topic.id.empty() ? "" : ", id " + topic.id);
  std::string settings;
  for (const auto& [key, value] : topic.settings)
    settings += fmt::format("{}{}={}", settings.empty() ? "" : ", ", key, value);
  text += fmt::format("settings: {}\n", settings.empty() ? "all default" : settings);
  TextTable table({">partition", ">leader", ">begin", ">end", ">records"});
  for (const TopicDescription::Partition& partition : topic.partitions) {
    table.add({fmt::format("{}", partition.partition),
               partition.leader < 0 ? "none" : fmt::format("{}", partition.leader), count_or_dash(partition.begin),
               count_or_dash(partition.end), count_or_dash(between(partition.begin, partition.end))});
  }
  return text + table.text();
}

void topic_json(JsonWriter& json, const TopicDescription& topic) {
  json.begin_object().key("topic").string(topic.name).key("id");
  topic.id.empty() ? json.null() : json.string(topic.id);
  json.key("replicas").integer(topic.replicas).key("settings").begin_object();
  for (const auto& [key, value] : topic.settings) json.key(key).string(value);
  json.end_object().key("partitions").begin_array();
  for (const TopicDescription::Partition& partition : topic.partitions) {
    json.begin_object().key("partition").integer(partition.partition).key("leader").integer(partition.leader);
    write_count(json, "begin_offset", partition.begin);
    write_count(json, "end_offset", partition.end);
    json.end_object();
  }
  json.end_array().end_object();
}

std::string group_text(const GroupDescription& group) {
  std::string text = fmt::format("group {}: {}, {} member{}, coordinator {}{}\n", group.id, group.state,
                                 group.members.size(), group.members.size() == 1 ? "" : "s", group.coordinator,
                                 group.protocol.empty() ? "" : ", assignor " + group.protocol);
  if (!group.members.empty()) {
    TextTable members({"member", "instance", "client", "host", "partitions"});
    for (const GroupDescription::Member& member : group.members) {
      std::string partitions;
      for (const TopicPartitionName& name : member.partitions)
        partitions += (partitions.empty() ? "" : ", ") + name.to_string();
      members.add({member.id, member.instance_id.empty() ? "-" : member.instance_id, member.client_id, member.host,
                   partitions.empty() ? "-" : partitions});
    }
    text += members.text() + "\n";
  }
  if (group.positions.empty()) return text + "no committed positions\n";
  TextTable table({"topic", ">partition", ">position", ">end", ">lag", "member"});
  for (const GroupDescription::Position& position : group.positions) {
    table.add({position.partition.topic, fmt::format("{}", position.partition.partition),
               count_or_dash(position.committed), count_or_dash(position.end), count_or_dash(position.lag()),
               position.member.empty() ? "-" : position.member});
  }
  return text + table.text();
}

void group_json(JsonWriter& json, const GroupDescription& group) {
  json.begin_object().key("group").string(group.id).key("state").string(group.state);
  json.key("assignor").string(group.protocol).key("coordinator").string(group.coordinator).key("members").begin_array();
  for (const GroupDescription::Member& member : group.members) {
    json.begin_object().key("member").string(member.id).key("instance");
    member.instance_id.empty() ? json.null() : json.string(member.instance_id);
    json.key("client").string(member.client_id).key("host").string(member.host).key("partitions").begin_array();
    for (const TopicPartitionName& name : member.partitions) {
      json.begin_object();
      write_partition(json, name);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("positions").begin_array();
  for (const GroupDescription::Position& position : group.positions) {
    json.begin_object();
    write_partition(json, position.partition);
    write_count(json, "position", position.committed);
    write_count(json, "end_offset", position.end);
    write_count(json, "lag", position.lag());
    json.key("member");
    position.member.empty() ? json.null() : json.string(position.member);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

TextTable::TextTable(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    right_.push_back(heading.starts_with('>'));
    if (right_.back()) heading.erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

void TextTable::add(std::vector<std::string> cells) {
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths(right_.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - width_of(row[i]), ' ');
      if (i > 0) text += "  ";
      if (right_[i]) text += fill;
      text += row[i];
      if (!right_[i] && i + 1 < row.size()) text += fill;
    }
    text += '\n';
  }
  return text;
}

std::string TopicPartitionName::to_string() const {
  return fmt::format("{}:{}", topic, partition);
}

std::optional<std::int64_t> GroupDescription::Position::lag() const {
  if (!committed || !end) return std::nullopt;
  return std::max<std::int64_t>(*end - *committed, 0);
}

std::string format_topics(const std::vector<TopicListing>& topics, bool json) {
  if (json) {
    JsonWriter out;
    out.begin_array();
    for (const TopicListing& topic : topics) {
      out.begin_object()
          .key("topic")
          .string(topic.name)
          .key("partitions")
          .integer(static_cast<std::int64_t>(topic.partitions));
      out.key("internal").boolean(topic.internal).end_object();
    }
    out.end_array();
    return line(std::move(out));
  }
  TextTable table({"topic", ">partitions"});
  for (const TopicListing& topic : topics) table.add({topic.name, fmt::format("{}", topic.partitions)});
  return table.text();
}

std::string format_topic_descriptions(const std::vector<TopicDescription>& topics, bool json) {
  JsonWriter out;
  std::string text;
  out.begin_array();
  for (const TopicDescription& topic : topics) {
    if (json)
      topic_json(out, topic);
    else
      text += (text.empty() ? "" : "\n") + topic_text(topic);
  }
  out.end_array();
  return json ? line(std::move(out)) : text;
}

std::string format_groups(const std::vector<GroupListing>& groups, bool json) {
  if (json) {
    JsonWriter out;
    out.begin_array();
    for (const GroupListing& group : groups) {
      out.begin_object().key("group").string(group.id).key("state");
      group.state.empty() ? out.null() : out.string(group.state);
      out.key("protocol").string(group.protocol_type).end_object();
    }
    out.end_array();
    return line(std::move(out));
  }
  TextTable table({"group", "state", "protocol"});
  for (const GroupListing& group : groups)
    table.add(
        {group.id, group.state.empty() ? "-" : group.state, group.protocol_type.empty() ? "-" : group.protocol_type});
  return table.text();
}

std::string format_group_descriptions(const std::vector<GroupDescription>& groups, bool json) {
  JsonWriter out;
  std::string text;
  out.begin_array();
  for (const GroupDescription& group : groups) {
    if (json)
      group_json(out, group);
    else
      text += (text.empty() ? "" : "\n") + group_text(group);
  }
  out.end_array();
  return json ? line(std::move(out)) : text;
}

std::string format_reset(const std::string& group, const std::vector<ResetLine>& lines, bool executed, bool json) {
  if (json) {
    JsonWriter out;
    out.begin_object().key("group").string(group).key("executed").boolean(executed).key("positions").begin_array();
    for (const ResetLine& reset : lines) {
      out.begin_object();
      write_partition(out, reset.partition);
      write_count(out, "from", reset.from);
      out.key("to").integer(reset.to).key("clipped").boolean(reset.clipped).end_object();
    }
    out.end_array().end_object();
    return line(std::move(out));
  }
  TextTable table({"topic", ">partition", ">from", ">to", ""});
  for (const ResetLine& reset : lines)
    table.add({reset.partition.topic, fmt::format("{}", reset.partition.partition), count_or_dash(reset.from),
               human_count(reset.to), reset.clipped ? "nearest that is there" : ""});
  return table.text();
}

Result<ResetTarget> parse_reset_target(std::string_view text) {
  if (text == "earliest") return ResetTarget{.kind = ResetTarget::Kind::kEarliest};
  if (text == "latest") return ResetTarget{.kind = ResetTarget::Kind::kLatest};
  if (std::int64_t offset = 0; parse_whole(text, offset) && offset >= 0)
    return ResetTarget{.kind = ResetTarget::Kind::kOffset, .offset = offset};
  if (const auto time = parse_utc(text)) return ResetTarget{.kind = ResetTarget::Kind::kTime, .time = *time};
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is no place to go on from: write earliest, latest, an offset, or "
                                               "a time in UTC such as 2026-11-22T10:15:00Z",
                                               text));
}

Result<std::pair<std::string, std::vector<std::int32_t>>> parse_topic_choice(std::string_view text) {
  const std::size_t colon = text.find(':');
  std::pair<std::string, std::vector<std::int32_t>> choice{std::string(text.substr(0, colon)), {}};
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' names no topic: write TOPIC, or TOPIC:0,3 for some of its partitions", text));
  };
  if (choice.first.empty()) return wrong();
  if (colon == std::string_view::npos) return choice;
  for (std::string_view rest = text.substr(colon + 1);;) {
    const std::size_t comma = rest.find(',');
    std::int32_t partition = 0;
    if (!parse_whole(rest.substr(0, comma), partition) || partition < 0) return wrong();
    choice.second.push_back(partition);
    if (comma == std::string_view::npos) return choice;
    rest = rest.substr(comma + 1);
  }
}

Result<std::pair<std::string, std::string>> parse_setting(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no setting: write KEY=VALUE, such as retention.ms=86400000", text));
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

}  // namespace pinflow::app
