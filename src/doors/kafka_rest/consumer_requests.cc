#include "doors/kafka_rest/consumer_requests.h"

#include <charconv>

#include <fmt/core.h>

#include "base/names.h"
#include "base/timestamp.h"
#include "doors/json_cursor.h"

namespace pinflow::doors::kafka_rest {

namespace {

constexpr std::size_t kMostEntries = 10'000;  // Topics or partitions in one request.
constexpr std::int64_t kMostMinBytes = 10'000'000;
constexpr std::size_t kMostName = 249;

using Refused = std::unexpected<Refusal>;

#define STEP(expression)                                                          \
  do {                                                                            \
    if (auto step = (expression); !step) return Refused(std::move(step).error()); \
  } while (false)
#define READ(declaration, expression)                                                                       \
  auto PINFLOW_CONCAT(read_, __LINE__) = (expression);                                                      \
  if (!PINFLOW_CONCAT(read_, __LINE__)) return Refused(std::move(PINFLOW_CONCAT(read_, __LINE__)).error()); \
  declaration = std::move(*PINFLOW_CONCAT(read_, __LINE__))

// Reads one body front to back. Its errors are refusals.
class Body {
 public:
  Body(std::string_view text, const Rules& rules) : cursor_(text), rules_(rules) {}

  // Calls each(name) with every member of an object but those that are null, which count as absent; it reads the value.
  template <class Each>
  Checked<void> object(Each each) {
    STEP(check(cursor_.begin_object()));
    for (;;) {
      READ(const auto name, check(cursor_.next_member()));
      if (!name) return {};
      READ(const auto kind, check(cursor_.peek()));
      if (kind == JsonKind::kNull) {
        STEP(skip());
      } else {
        STEP(each(*name));
      }
    }
  }
  // Calls each() at every element.
  template <class Each>
  Checked<void> array(std::string_view what, Each each) {
    READ(const auto kind, check(cursor_.peek()));
    if (kind != JsonKind::kArray) return wrong_type(what, "a list");
    STEP(check(cursor_.begin_array()));
    for (std::size_t count = 0;; ++count) {
      READ(const bool more, check(cursor_.next_element()));
      if (!more) return {};
      if (count == kMostEntries)
        return refuse(422, 422, fmt::format("{} has more than {} entries", what, kMostEntries));
      STEP(each());
    }
  }
  Checked<std::string> string(std::string_view what) {
    READ(const auto kind, check(cursor_.peek()));
    READ(const auto slice, check(cursor_.value()));
    if (kind != JsonKind::kString) return wrong_type(what, "a string");
    return JsonCursor::decode_string(slice);
  }
  // A string, or the text of a number, true or false; nothing for null.
  Checked<std::optional<std::string>> scalar(std::string_view what) {
    READ(const auto kind, check(cursor_.peek()));
    READ(const auto slice, check(cursor_.value()));
    switch (kind) {
      case JsonKind::kNull:
        return std::optional<std::string>();
      case JsonKind::kString:
        return JsonCursor::decode_string(slice);
      case JsonKind::kNumber:
      case JsonKind::kBoolean:
        return std::string(slice);
      case JsonKind::kObject:
      case JsonKind::kArray:
        break;
    }
    return wrong_type(what, "a string, a number or a boolean");
  }
  template <class Integer>
  Checked<Integer> integer(std::string_view what) {
    const auto place = cursor_.place();
    READ(const auto slice, check(cursor_.value()));
    Integer number{};
    const auto [end, error] = std::from_chars(slice.data(), slice.data() + slice.size(), number);
    if (error != std::errc{} || end != slice.data() + slice.size())
      return refuse(rules_.wrong_type_status, rules_.wrong_type_status,
                    fmt::format("{}: {} is not an integer of its range at {}", rules_.malformed_body, what, place));
    return number;
  }
  Checked<void> skip() {
    STEP(check(cursor_.value()));
    return {};
  }
  Checked<void> end() { return check(cursor_.end()); }
  Refused wrong_type(std::string_view what, std::string_view wanted) const {
    return refuse(rules_.wrong_type_status, rules_.wrong_type_status,
                  fmt::format("{}: {} is not {}, before {}", rules_.malformed_body, what, wanted, cursor_.place()));
  }

 private:
  template <class T>
  Checked<T> check(Result<T> result) const {
    if (!result) return refuse(400, 400, fmt::format("{}: {}", rules_.malformed_body, result.error().message));
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*result);
    }
  }

  JsonCursor cursor_;
  const Rules& rules_;
};

Refused missing_body(const Rules& rules) {
  return refuse(rules.missing_body_status, rules.missing_body_status, std::string(rules.missing_body));
}

Refused invalid_setting(std::string_view name, std::string_view value, std::string_view allowed) {
  return refuse(422, 42204,
                fmt::format("Invalid consumer configuration: Invalid value {} for configuration {}: {}",
                            value.substr(0, 100), name, allowed));
}
Refused constraint(std::string_view name, std::string_view value, std::string_view allowed) {
  return refuse(
      422, 40001,
      fmt::format("Invalid consumer configuration. It does not abide by the constraints: Invalid value {} for "
                  "configuration {}: {}",
                  value.substr(0, 100), name, allowed));
}

std::optional<std::int64_t> number_in(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) return std::nullopt;
  return number;
}

bool is_instance_name(std::string_view name) {
  if (name.empty() || name.size() > kMostName || name == "." || name == "..") return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/') return false;
  }
  return true;
}

Checked<void> set(InstanceSettings& settings, std::string_view name, const std::string& value) {
  if (name == "format") {
    const auto format = format_of(value);
    if (!format) return refuse(422, 422, "Invalid format type.");
    settings.format = *format;
  } else if (name == "auto.offset.reset") {
    if (value == "earliest")
      settings.reset = OffsetReset::kEarliest;
    else if (value == "latest")
      settings.reset = OffsetReset::kLatest;
    else if (value == "none")
      settings.reset = OffsetReset::kNone;
    else
      return invalid_setting(name, value, "String must be one of: latest, earliest, none");
  } else if (name == "auto.commit.enable" || name == "enable.auto.commit") {
    if (value != "true" && value != "false")
      return invalid_setting(name, value, "Expected value to be either true or false");
    settings.auto_commit = value == "true";
  } else if (name == "fetch.min.bytes") {
    const auto number = number_in(value, -1, kMostMinBytes);
    if (!number) return constraint(name, value, fmt::format("must be between -1 and {}", kMostMinBytes));
    settings.min_bytes = static_cast<std::size_t>(std::max<std::int64_t>(*number, 1));
  } else if (name == "consumer.request.timeout.ms") {
    const auto number = number_in(value, 1, 30'000);
    if (!number) return constraint(name, value, "must be between 1 and 30000");
    settings.wait = std::chrono::milliseconds(*number);
  }
  return {};
}

Checked<void> check_topic(const std::string& name) {
  if (auto good = check_name("topic", name); !good)
    return refuse(400, 40002, fmt::format("Invalid topics: {}", good.error().message));
  return {};
}

// {"topic","partition"} with members that `other` takes.
template <class Other>
Checked<log::TopicPartition> parse_place(Body& body, Other other) {
  std::optional<std::string> topic;
  std::optional<std::int32_t> partition;
  STEP(body.object([&](const std::string& name) -> Checked<void> {
    if (name == "topic") {
      READ(topic, body.string("topic"));
    } else if (name == "partition") {
      READ(partition, body.template integer<std::int32_t>("partition"));
    } else {
      return other(name);
    }
    return {};
  }));
  if (!topic || !partition) return refuse(422, 422, "each entry needs a topic and a partition");
  STEP(check_topic(*topic));
  if (*partition < 0) return refuse(422, 422, fmt::format("partition must not be negative, but is {}", *partition));
  return log::TopicPartition{std::move(*topic), log::PartitionId(*partition)};
}

Checked<log::GroupOffset> parse_offset(Body& body) {
  std::optional<std::int64_t> offset;
  std::string metadata;
  READ(auto place, parse_place(body, [&](const std::string& name) -> Checked<void> {
         if (name == "offset") {
           READ(offset, body.integer<std::int64_t>("offset"));
         } else if (name == "metadata") {
           READ(auto text, body.scalar("metadata"));
           metadata = std::move(text).value_or("");
         } else {
           return body.skip();
         }
         return {};
       }));
  if (!offset) return refuse(422, 422, "each entry of offsets needs an offset");
  if (*offset < 0) return refuse(422, 422, fmt::format("offset must not be negative, but is {}", *offset));
  return log::GroupOffset{std::move(place), log::Offset(*offset), -1, std::move(metadata)};
}

Checked<PartitionTime> parse_time(Body& body) {
  std::optional<WallTime> time;
  READ(auto place, parse_place(body, [&](const std::string& name) -> Checked<void> {
         if (name != "timestamp") return body.skip();
         READ(const auto text, body.string("timestamp"));
         time = parse_iso8601(text);
         if (!time)
           return refuse(422, 422, fmt::format("timestamp '{}' is not like 2026-11-22T10:15:00Z", text.substr(0, 100)));
         return {};
       }));
  if (!time) return refuse(422, 422, "each entry of timestamps needs a timestamp");
  return PartitionTime{std::move(place), *time};
}

Checked<void> parse_topics(Body& body, std::optional<std::vector<std::string>>& topics) {
  topics.emplace();
  return body.array("topics", [&]() -> Checked<void> {
    READ(auto topic, body.string("a topic"));
    STEP(check_topic(topic));
    topics->push_back(std::move(topic));
    return {};
  });
}

}  // namespace

Checked<InstanceSettings> parse_instance(std::string_view text, const Rules& rules) {
  InstanceSettings settings;
  if (text.empty()) return settings;
  Body body(text, rules);
  std::string id;
  STEP(body.object([&](const std::string& name) -> Checked<void> {
    READ(const auto value, body.scalar(name.substr(0, 100)));
    if (!value) return {};
    if (name != "name" && name != "id") return set(settings, name, *value);
    if (!is_instance_name(*value))
      return refuse(
          422, 42204,
          fmt::format("Invalid consumer configuration: {} must have 1 to {} characters, none of them a control "
                      "character or '/'",
                      name, kMostName));
    (name == "id" ? id : settings.name) = *value;
    return {};
  }));
  STEP(body.end());
  if (!id.empty()) settings.name = std::move(id);
  if (settings.format != EmbeddedFormat::kBinary && settings.format != EmbeddedFormat::kJson)
    return refuse(
        422, 42204,
        fmt::format("Invalid consumer configuration: the format {} needs a schema registry, and there is none "
                    "here; use binary or json",
                    name_of(settings.format)));
  return settings;
}

Checked<SubscriptionRequest> parse_subscription(std::string_view text, const Rules& rules) {
  if (text.empty()) return missing_body(rules);
  SubscriptionRequest request;
  Body body(text, rules);
  STEP(body.object([&](const std::string& name) -> Checked<void> {
    if (name == "topics") return parse_topics(body, request.topics);
    if (name != "topic_pattern") return body.skip();
    READ(request.pattern, body.string("topic_pattern"));
    return {};
  }));
  STEP(body.end());
  if (!request.topics && !request.pattern)
    return refuse(422, 422, "the body needs {\"topics\":[...]} or {\"topic_pattern\":\"...\"}");
  return request;
}

Checked<std::vector<log::TopicPartition>> parse_partitions(std::string_view text, const Rules& rules) {
  if (text.empty()) return missing_body(rules);
  std::optional<std::vector<log::TopicPartition>> partitions;
  Body body(text, rules);
  STEP(body.object([&](const std::string& name) -> Checked<void> {
    if (name != "partitions") return body.skip();
    partitions.emplace();
    return body.array("partitions", [&]() -> Checked<void> {
      READ(auto place, parse_place(body, [&](const std::string&) { return body.skip(); }));
      partitions->push_back(std::move(place));
      return {};
    });
  }));
  STEP(body.end());
  if (!partitions) return refuse(422, 422, "partitions must not be null: the body needs {\"partitions\":[...]}");
  return std::move(*partitions);
}

Checked<OffsetsRequest> parse_offsets(std::string_view text, const Rules& rules) {
  if (text.empty()) return missing_body(rules);
  OffsetsRequest request;
  bool has_some = false;
  Body body(text, rules);
  STEP(body.object([&](const std::string& name) -> Checked<void> {
    if (name == "offsets") {
      has_some = true;
      return body.array(name, [&]() -> Checked<void> {
        READ(auto offset, parse_offset(body));
        request.offsets.push_back(std::move(offset));
        return {};
      });
    }
    if (name != "timestamps") return body.skip();
    has_some = true;
    return body.array(name, [&]() -> Checked<void> {
      READ(auto time, parse_time(body));
      request.times.push_back(std::move(time));
      return {};
    });
  }));
  STEP(body.end());
  if (!has_some) return refuse(422, 422, "offsets must not be null: the body needs {\"offsets\":[...]}");
  return request;
}

#undef READ
#undef STEP

}  // namespace pinflow::doors::kafka_rest
