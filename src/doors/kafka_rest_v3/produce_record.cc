#include "doors/kafka_rest_v3/produce_record.h"

#include <charconv>

#include <fmt/core.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "doors/kafka_rest_v3/reading.h"

namespace pinflow::doors::kafka_rest_v3 {

namespace {

// Text of the sender's, short enough to be quoted back.
std::string excerpt(std::string_view text) {
  return text.size() <= 100 ? std::string(text) : std::string(text.substr(0, 100)) + "...";
}

Refused unknown(std::string_view member, std::string_view where) {
  return Refused({400, 400, fmt::format("Unrecognized field: {} in {}", excerpt(member), where)});
}

std::expected<std::string, Refusal> base64(std::string_view slice) {
  const bool is_string = slice.starts_with('"');
  const auto text = is_string ? JsonCursor::decode_string(slice) : std::string(slice);
  auto decoded = base64_decode(text);
  if (is_string && decoded) return std::move(*decoded);
  return Refused({422, 400, fmt::format("Bad Request: data={} is not a base64 string.", excerpt(text))});
}

class Parser {
 public:
  explicit Parser(std::string_view text) : cursor_(text) {}

  std::expected<ProduceRecord, Refusal> parse(std::string* id) {
    if (auto begun = cursor_.begin_object(); !begun) return Refused(bad_json(begun.error().message));
    for (;;) {
      READ(const auto name, cursor_.next_member());
      if (!name) break;
      if (*name == "id" && id != nullptr) {
        STEP(text_id(*id));
      } else {
        STEP(member(*name));
      }
    }
    if (auto end = cursor_.end(); !end) return Refused(bad_json(end.error().message));
    if (id != nullptr) record_.id = *id;
    return std::move(record_);
  }

 private:
  Step member(std::string_view name) {
    if (name == "key") return part(record_.key, record_.record.key);
    if (name == "value") return part(record_.value, record_.record.value);
    if (name == "headers") return headers();
    if (name == "partition_id") return partition();
    if (name == "timestamp") return timestamp();
    return unknown(name, "a record");
  }

  Step text_id(std::string& id) {
    READ(const auto slice, cursor_.value());
    if (slice.starts_with('"')) id = JsonCursor::decode_string(slice);
    return {};
  }

  Step partition() {
    READ(const auto slice, cursor_.value());
    record_.partition.reset();
    if (slice == "null") return {};
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(slice.data(), slice.data() + slice.size(), number);
    if (error != std::errc{} || end != slice.data() + slice.size())
      return Refused(bad_json(fmt::format("partition_id={} is not a partition", excerpt(slice))));
    if (number < 0) return Refused(no_partition());
    record_.partition = number;
    return {};
  }

  Step timestamp() {
    READ(const auto slice, cursor_.value());
    record_.record.timestamp.reset();
    if (slice == "null") return {};
    const auto time =
        slice.starts_with('"') ? parse_iso8601(JsonCursor::decode_string(slice)) : std::optional<WallTime>();
    if (!time)
      return Refused(
          bad_json(fmt::format("timestamp={} is not a time like \"2021-02-05T19:14:42Z\" (ISO 8601)", excerpt(slice))));
    record_.record.timestamp = *time;
    return {};
  }

  // {"type": ..., "data": ...}, in any order, so data is read once the type is known.
  Step part(std::optional<PartReport>& told, std::optional<std::string>& bytes) {
    told.reset();
    bytes.reset();
    READ(const auto kind, cursor_.peek());
    if (kind == JsonKind::kNull) {
      READ([[maybe_unused]] const auto null, cursor_.value());
      return {};
    }
    if (auto begun = cursor_.begin_object(); !begun) return Refused(bad_json(begun.error().message));
    std::optional<std::string> type;
    std::string_view data = "null";
    for (;;) {
      READ(const auto name, cursor_.next_member());
      if (!name) break;
      READ(const auto slice, cursor_.value());
      if (*name == "data") {
        data = slice;
      } else if (*name == "type") {
        if (slice.starts_with('"')) {
          type = JsonCursor::decode_string(slice);
        } else if (slice != "null") {
          return Refused(bad_json(fmt::format("type={} is not a string", excerpt(slice))));
        }
      } else if (*name != "subject" && *name != "subject_name_strategy" && *name != "schema_id" &&
                 *name != "schema_version" && *name != "schema") {
        return unknown(*name, "a key or value");
      }
    }
    return take_data(type, data, told, bytes);
  }

  static Step take_data(const std::optional<std::string>& type, std::string_view data, std::optional<PartReport>& told,
                        std::optional<std::string>& bytes) {
    if (type == "JSON") {
      told.emplace("JSON");
      if (data != "null") bytes = data;
    } else if (type == "BINARY") {
      told.emplace("BINARY");
      if (data != "null") {
        auto decoded = base64(data);
        if (!decoded) return Refused(std::move(decoded).error());
        bytes = std::move(*decoded);
      }
    } else if (type == "STRING") {
      told.emplace("STRING");
      if (data != "null") {
        if (!data.starts_with('"'))
          return Refused({422, 400, fmt::format("Bad Request: data={} is not a string.", excerpt(data))});
        bytes = JsonCursor::decode_string(data);
      }
    } else if (!type || type == "AVRO" || type == "JSONSCHEMA" || type == "PROTOBUF") {
      return Refused(payload_error(
          "Schema Registry must be configured when using schemas. There is none here: say \"type\":\"JSON\", "
          "\"BINARY\" or \"STRING\"."));
    } else {
      return Refused(bad_json(fmt::format("there is no type {}", excerpt(*type))));
    }
    told->size = bytes ? bytes->size() : 0;
    return {};
  }

  Step headers() {
    record_.record.headers.clear();
    READ(const auto kind, cursor_.peek());
    if (kind == JsonKind::kNull) {
      READ([[maybe_unused]] const auto null, cursor_.value());
      return {};
    }
    if (auto begun = cursor_.begin_array(); !begun) return Refused(bad_json("headers: " + begun.error().message));
    for (;;) {
      READ(const bool more, cursor_.next_element());
      if (!more) return {};
      STEP(header(record_.record.headers.emplace_back()));
    }
  }

  Step header(log::Header& out) {
    if (auto begun = cursor_.begin_object(); !begun) return Refused(bad_json("a header: " + begun.error().message));
    bool has_name = false;
    for (;;) {
      READ(const auto name, cursor_.next_member());
      if (!name) break;
      READ(const auto slice, cursor_.value());
      if (*name == "name" && slice.starts_with('"')) {
        out.key = JsonCursor::decode_string(slice);
        has_name = true;
      } else if (*name == "value") {
        if (slice == "null") continue;
        auto decoded = base64(slice);
        if (!decoded) return Refused(std::move(decoded).error());
        out.value = std::move(*decoded);
      } else {
        return unknown(*name, "a header");
      }
    }
    if (!has_name) return Refused(bad_json("a header needs a name that is a string"));
    return {};
  }

  JsonCursor cursor_;
  ProduceRecord record_;
};

#undef READ
#undef STEP

void write_part(JsonWriter& out, std::string_view name, const std::optional<PartReport>& part) {
  if (!part) return;
  out.key(name).begin_object().key("type").string(part->type);
  out.key("size").integer(static_cast<std::int64_t>(part->size)).end_object();
}

}  // namespace

std::expected<ProduceRecord, Refusal> parse_record(std::string_view text) {
  return Parser(text).parse(nullptr);
}

std::expected<ProduceRecord, Refusal> parse_entry(std::string_view text, std::string& id) {
  return Parser(text).parse(&id);
}

std::string report(const ProduceRecord& sent, const log::Appended& stored, std::string_view cluster,
                   std::string_view topic) {
  JsonWriter out;
  out.begin_object();
  if (sent.id.empty()) {
    out.key("error_code").integer(200);
  } else {
    out.key("id").string(sent.id);
  }
  out.key("cluster_id").string(cluster).key("topic_name").string(topic);
  out.key("partition_id").integer(stored.partition.value()).key("offset").integer(stored.offset.value());
  if (sent.record.timestamp) out.key("timestamp").string(format_iso8601(*sent.record.timestamp));
  write_part(out, "key", sent.key);
  write_part(out, "value", sent.value);
  out.end_object();
  return std::move(out).take();
}

std::string report(const Refusal& refusal, std::string_view id) {
  JsonWriter out;
  out.begin_object();
  if (!id.empty()) out.key("id").string(id);
  out.key("error_code").integer(refusal.code).key("message").string(refusal.message).end_object();
  return std::move(out).take();
}

}  // namespace pinflow::doors::kafka_rest_v3
