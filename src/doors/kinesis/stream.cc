#include "doors/kinesis/stream.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace pinflow::doors::kinesis {

namespace {

using Configs = std::vector<std::pair<std::string, std::string>>;

// Streams that an older version of this program made have the creation of their shards here.
constexpr std::string_view kOldCreatedSetting = "pinflow.stream.created";
constexpr std::string_view kRetention = "retention.ms";
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kMostHours = 8760;
constexpr std::chrono::seconds kBeforeCreation{2};

const std::string* find_setting(const Configs& configs, std::string_view name) {
  const auto found = std::ranges::find(configs, name, &Configs::value_type::first);
  return found == configs.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> number_in(const Configs& configs, std::string_view name) {
  const std::string* text = find_setting(configs, name);
  std::int64_t number = 0;
  if (text == nullptr || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{})
    return std::nullopt;
  return number;
}

std::chrono::sys_seconds seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

}  // namespace

std::string_view to_string(StreamStatus status) {
  switch (status) {
    case StreamStatus::kCreating:
      return "CREATING";
    case StreamStatus::kDeleting:
      return "DELETING";
    case StreamStatus::kActive:
      return "ACTIVE";
    case StreamStatus::kUpdating:
      return "UPDATING";
  }
  return "";
}

std::chrono::sys_seconds first_creation(const log::Topic& topic) {
  if (const auto old = number_in(topic.configs, kOldCreatedSetting))
    return std::chrono::sys_seconds(std::chrono::seconds(*old));
  return seconds_of(topic.created) - kBeforeCreation;
}

Configs with_setting(Configs configs, std::string_view name, std::string value) {
  const auto found = std::ranges::find(configs, name, &Configs::value_type::first);
  if (found == configs.end()) {
    configs.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
  return configs;
}

Result<StreamPtr> Stream::of(const log::Topic& topic) {
  const std::string* text = find_setting(topic.configs, kStateSetting);
  StreamState state;
  if (text == nullptr) {
    state = fresh_state(topic.partitions, first_creation(topic));
  } else {
    auto read = decode_state(*text, first_creation(topic));
    if (!read) return fail(std::move(read).error().with_context(topic.name));
    state = std::move(*read);
  }
  if (state.shards.size() > static_cast<std::size_t>(topic.partitions))
    return fail(ErrorCode::kCorrupt, topic.name + ": the stream has more shards than its topic has partitions");
  StreamPtr stream(new Stream(topic, std::move(state)));
  HashKey expected = 0;
  for (const Open& open : stream->open_) {
    if (stream->state_.shards[static_cast<std::size_t>(open.index)].range.first != expected)
      return fail(ErrorCode::kCorrupt, topic.name + ": the open shards of the stream do not cover the keys");
    expected = open.last + 1;
  }
  if (expected != 0 || stream->open_.empty())
    return fail(ErrorCode::kCorrupt, topic.name + ": the open shards of the stream do not cover the keys");
  return stream;
}

Stream::Stream(const log::Topic& topic, StreamState state) : topic_(topic), state_(std::move(state)) {
  own_ = find_setting(topic_.configs, kStateSetting) != nullptr;
  for (std::size_t i = 0; i < state_.shards.size(); ++i)
    if (state_.shards[i].is_open()) open_.push_back({state_.shards[i].range.last, static_cast<std::int32_t>(i)});
  std::ranges::sort(open_, {}, &Open::last);
}

bool Stream::is_of(const log::Topic& topic) const {
  return topic.id == topic_.id && topic.partitions == topic_.partitions && topic.configs == topic_.configs;
}

StreamStatus Stream::status() const {
  switch (state_.pending.kind) {
    case PendingChange::Kind::kNone:
      return StreamStatus::kActive;
    case PendingChange::Kind::kCreate:
      return StreamStatus::kCreating;
    case PendingChange::Kind::kDelete:
      return StreamStatus::kDeleting;
    case PendingChange::Kind::kSplit:
    case PendingChange::Kind::kMerge:
    case PendingChange::Kind::kScale:
      return StreamStatus::kUpdating;
  }
  return StreamStatus::kActive;
}

std::int64_t Stream::retention_hours() const {
  const auto milliseconds = number_in(topic_.configs, kRetention);
  // Without a limit of its own a topic keeps its records for as long as the log's options say, which is for ever by default.
  if (!milliseconds || *milliseconds < 0) return kMostHours;
  return std::clamp<std::int64_t>(*milliseconds / kHour, 1, kMostHours);
}

bool Stream::is_told(std::int32_t index, WallTime now) const {
  const auto& closed = state_.shards[static_cast<std::size_t>(index)].closed;
  return !closed || *closed + std::chrono::hours(retention_hours()) > now;
}

const Shard* Stream::find_shard(std::int32_t index, WallTime now) const {
  if (index < 0 || static_cast<std::size_t>(index) >= state_.shards.size() || !is_told(index, now)) return nullptr;
  return &state_.shards[static_cast<std::size_t>(index)];
}

std::vector<std::int32_t> Stream::open_in_order() const {
  std::vector<std::int32_t> indices;
  indices.reserve(open_.size());
  for (const Open& open : open_) indices.push_back(open.index);
  return indices;
}

std::int32_t Stream::shard_of(HashKey key) const {
  const auto found = std::ranges::lower_bound(open_, key, {}, &Open::last);
  CHECK(found != open_.end(), "open shards cover the ring");
  return found->index;
}

std::vector<std::int32_t> Stream::children_of(std::int32_t index) const {
  std::vector<std::int32_t> children;
  for (std::size_t i = 0; i < state_.shards.size(); ++i) {
    const Shard& shard = state_.shards[i];
    if (shard.parent == index || shard.adjacent_parent == index) children.push_back(static_cast<std::int32_t>(i));
  }
  return children;
}

SequenceText Stream::number(std::int32_t shard, std::int64_t counter, WallTime arrived) const {
  return SequenceText({state_.shards[static_cast<std::size_t>(shard)].created, shard, counter, seconds_of(arrived)});
}

SequenceText Stream::starting_number(std::int32_t shard) const {
  return number(shard, 0, state_.shards[static_cast<std::size_t>(shard)].created);
}

SequenceText Stream::ending_number(std::int32_t shard) const {
  return number(shard, kClosedCounter, *state_.shards[static_cast<std::size_t>(shard)].closed);
}

}  // namespace pinflow::doors::kinesis
