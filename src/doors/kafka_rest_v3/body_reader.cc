#include "doors/kafka_rest_v3/body_reader.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include "doors/json_cursor.h"
#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"
#include "doors/kafka_rest_v3/reading.h"

namespace pinflow::doors::kafka_rest_v3 {

namespace {

Refused wrong(std::string_view member, std::string_view expected) {
  return Refused(bad_json(fmt::format("{} must be {}", member, expected)));
}

// Calls `member` for each member of the object that the cursor stands before; it reads the value and says whether it knows the name.
using Member = std::function<std::expected<bool, Refusal>(const std::string& name)>;
Step read_object(JsonCursor& cursor, const Member& member) {
  if (auto begun = cursor.begin_object(); !begun) return Refused(bad_json(begun.error().message));
  for (;;) {
    READ(const auto name, cursor.next_member());
    if (!name) return {};
    const auto known = member(*name);
    if (!known) return Refused(known.error());
    if (!*known) return Refused({400, 400, fmt::format("Unrecognized field: {}", name->substr(0, 100))});
  }
}

Step read_array(JsonCursor& cursor, const std::function<Step()>& element) {
  if (auto begun = cursor.begin_array(); !begun) return Refused(bad_json(begun.error().message));
  for (;;) {
    READ(const bool more, cursor.next_element());
    if (!more) return {};
    STEP(element());
  }
}

Step take_string(JsonCursor& cursor, std::string_view member, std::optional<std::string>& out) {
  READ(const auto slice, cursor.value());
  out.reset();
  if (slice == "null") return {};
  if (!slice.starts_with('"')) return wrong(member, "a string");
  out = JsonCursor::decode_string(slice);
  return {};
}

Step take_integer(JsonCursor& cursor, std::string_view member, std::optional<std::int32_t>& out) {
  READ(const auto slice, cursor.value());
  out.reset();
  if (slice == "null") return {};
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(slice.data(), slice.data() + slice.size(), number);
  if (error != std::errc{} || end != slice.data() + slice.size()) return wrong(member, "a whole number");
  out = number;
  return {};
}

Step take_flag(JsonCursor& cursor, std::string_view member, bool& out) {
  READ(const auto slice, cursor.value());
  if (slice != "true" && slice != "false" && slice != "null") return wrong(member, "true or false");
  out = slice == "true";
  return {};
}

// Reads members of one object whose names and takers stand in a list.
class Members {
 public:
  explicit Members(std::string_view body) : cursor_(body), body_(body) {}
  Members& take(std::string name, std::function<Step(JsonCursor&)> taker) {
    takers_.emplace_back(std::move(name), std::move(taker));
    return *this;
  }
  Step read() {
    if (body_.find_first_not_of(" \t\r\n") == std::string_view::npos)
      return Refused(payload_error("Request body is empty. Data is required."));
    STEP(read_object(cursor_, member()));
    if (auto end = cursor_.end(); !end) return Refused(bad_json(end.error().message));
    return {};
  }
  // The same for an object within: the cursor stands before it.
  static Step read_within(JsonCursor& cursor,
                          std::vector<std::pair<std::string, std::function<Step(JsonCursor&)>>> takers) {
    Members members("");
    members.takers_ = std::move(takers);
    return read_object(cursor, [&](const std::string& name) { return members.offer(cursor, name); });
  }

 private:
  Member member() {
    return [this](const std::string& name) { return offer(cursor_, name); };
  }
  std::expected<bool, Refusal> offer(JsonCursor& cursor, const std::string& name) {
    const auto taker = std::ranges::find(takers_, name, [](const auto& entry) { return entry.first; });
    if (taker == takers_.end()) return false;
    STEP(taker->second(cursor));
    return true;
  }

  JsonCursor cursor_;
  std::string_view body_;
  std::vector<std::pair<std::string, std::function<Step(JsonCursor&)>>> takers_;
};

auto string_into(std::string name, std::optional<std::string>& out) {
  return std::pair<std::string, std::function<Step(JsonCursor&)>>(
      name, [name, &out](JsonCursor& cursor) { return take_string(cursor, name, out); });
}

// [{"name","value"}]
Step take_configs(JsonCursor& cursor, log::TopicConfigs& configs) {
  return read_array(cursor, [&]() -> Step {
    std::optional<std::string> name;
    std::optional<std::string> value;
    STEP(Members::read_within(cursor, {string_into("name", name), string_into("value", value)}));
    if (!name) return Refused(payload_error("Each config needs a name."));
    if (value) configs.emplace_back(std::move(*name), std::move(*value));
    return {};
  });
}

Step check_brokers(const std::vector<std::int32_t>& brokers) {
  if (brokers == std::vector<std::int32_t>{kBroker}) return {};
  return Refused(
      broker_says(fmt::format("Replicas can only be assigned to the broker {}, which is the only one.", kBroker)));
}

Step take_broker_ids(JsonCursor& cursor, std::vector<std::int32_t>& brokers) {
  return read_array(cursor, [&]() -> Step {
    std::optional<std::int32_t> broker;
    STEP(take_integer(cursor, "a broker id", broker));
    brokers.push_back(broker.value_or(-1));
    return {};
  });
}

// Both forms that are about: [{"partition_id":0,"broker_ids":[1]}, ...] and {"0":[1], ...}. Gives the partitions.
Step take_assignments(JsonCursor& cursor, std::vector<std::int32_t>& partitions) {
  READ(const auto kind, cursor.peek());
  if (kind == JsonKind::kNull) {
    READ([[maybe_unused]] const auto null, cursor.value());
    return {};
  }
  if (kind == JsonKind::kObject) {
    return read_object(cursor, [&](const std::string& name) -> std::expected<bool, Refusal> {
      std::int32_t partition = -1;
      std::from_chars(name.data(), name.data() + name.size(), partition);
      partitions.push_back(partition);
      std::vector<std::int32_t> brokers;
      STEP(take_broker_ids(cursor, brokers));
      STEP(check_brokers(brokers));
      return true;
    });
  }
  return read_array(cursor, [&]() -> Step {
    std::optional<std::int32_t> partition;
    std::vector<std::int32_t> brokers;
    STEP(Members::read_within(
        cursor, {{"partition_id", [&](JsonCursor& at) { return take_integer(at, "partition_id", partition); }},
                 {"broker_ids", [&](JsonCursor& at) { return take_broker_ids(at, brokers); }}}));
    partitions.push_back(partition.value_or(-1));
    return check_brokers(brokers);
  });
}

Step settle_assignments(CreateTopicBody& body, std::vector<std::int32_t>& assigned) {
  if (assigned.empty()) return {};
  if (body.partitions)
    return Refused(broker_says("Both partitions_count and replicas_assignments are there; one is enough."));
  std::ranges::sort(assigned);
  for (std::size_t i = 0; i < assigned.size(); ++i)
    if (assigned[i] != static_cast<std::int32_t>(i))
      return Refused(broker_says("replicas_assignments must name each partition from 0 on once."));
  body.partitions = static_cast<std::int32_t>(assigned.size());
  return {};
}

std::optional<log::SettingOperation> operation_of(std::string_view name) {
  if (name == "SET") return log::SettingOperation::kSet;
  if (name == "DELETE") return log::SettingOperation::kDelete;
  if (name == "APPEND") return log::SettingOperation::kAppend;
  if (name == "SUBTRACT") return log::SettingOperation::kSubtract;
  return std::nullopt;
}

Step take_change(JsonCursor& cursor, std::vector<log::SettingChange>& changes) {
  std::optional<std::string> name;
  std::optional<std::string> value;
  std::optional<std::string> operation;
  STEP(Members::read_within(
      cursor, {string_into("name", name), string_into("value", value), string_into("operation", operation)}));
  if (!name) return Refused(payload_error("Each entry of data needs a name."));
  const auto known = operation_of(operation.value_or("SET"));
  if (!known) return wrong("operation", "SET, DELETE, APPEND or SUBTRACT");
  changes.push_back({std::move(*name), std::move(value), *known});
  return {};
}

#undef READ

}  // namespace

std::expected<CreateTopicBody, Refusal> read_create_topic(std::string_view text) {
  CreateTopicBody body;
  std::optional<std::string> topic;
  std::optional<std::int32_t> replicas;
  std::vector<std::int32_t> assigned;
  Members members(text);
  members.take("topic_name", [&](JsonCursor& at) { return take_string(at, "topic_name", topic); })
      .take("partitions_count", [&](JsonCursor& at) { return take_integer(at, "partitions_count", body.partitions); })
      .take("replication_factor", [&](JsonCursor& at) { return take_integer(at, "replication_factor", replicas); })
      .take("replicas_assignments", [&](JsonCursor& at) { return take_assignments(at, assigned); })
      .take("configs", [&](JsonCursor& at) { return take_configs(at, body.configs); })
      .take("validate_only", [&](JsonCursor& at) { return take_flag(at, "validate_only", body.validate_only); });
  STEP(members.read());
  if (!topic) return Refused(payload_error("topic_name is required."));
  if (replicas && *replicas != 1 && *replicas != -1)
    return Refused(broker_says(fmt::format("Replication factor: {} does not fit: there is one broker.", *replicas)));
  body.topic = std::move(*topic);
  STEP(settle_assignments(body, assigned));
  return body;
}

std::expected<AlterConfigsBody, Refusal> read_alter_configs(std::string_view text) {
  AlterConfigsBody body;
  bool has_data = false;
  Members members(text);
  members
      .take("data",
            [&](JsonCursor& at) {
              has_data = true;
              return read_array(at, [&] { return take_change(at, body.changes); });
            })
      .take("validate_only", [&](JsonCursor& at) { return take_flag(at, "validate_only", body.validate_only); });
  STEP(members.read());
  if (!has_data) return Refused(payload_error("data is required."));
  return body;
}

std::expected<std::optional<std::string>, Refusal> read_config_value(std::string_view text) {
  std::optional<std::string> value;
  Members members(text);
  members.take("value", [&](JsonCursor& at) { return take_string(at, "value", value); });
  STEP(members.read());
  return value;
}

std::expected<std::int32_t, Refusal> read_partitions_count(std::string_view text) {
  std::optional<std::int32_t> count;
  Members members(text);
  members.take("partitions_count", [&](JsonCursor& at) { return take_integer(at, "partitions_count", count); });
  STEP(members.read());
  if (!count) return Refused(payload_error("partitions_count is required."));
  return *count;
}

#undef STEP

}  // namespace pinflow::doors::kafka_rest_v3
