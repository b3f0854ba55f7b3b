#include "doors/streams/put_request.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/json.h"
#include "doors/json_cursor.h"

namespace pinflow::doors::streams {

namespace {

using Broken = std::unexpected<Fault>;

constexpr std::size_t kMaxClauses = 10;
constexpr std::size_t kMaxRecords = 500;
constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::int32_t kDefaultShards = 5;  // Of the gateway set-up that clients of these routes expect.

// As TRY, for the cursor's errors.
#define READ(declaration, expression)                                                                     \
  auto PINFLOW_CONCAT(read_, __LINE__) = (expression);                                                    \
  if (!PINFLOW_CONCAT(read_, __LINE__)) return not_json(PINFLOW_CONCAT(read_, __LINE__).error().message); \
  declaration = std::move(*PINFLOW_CONCAT(read_, __LINE__))

Broken not_json(std::string_view why) {
  return Broken({400, "", fmt::format("Could not parse request body into json: {}", why)});
}
Broken wrong_type(std::string message) {
  return Broken({400, "SerializationException", std::move(message)});
}

// One entry as it is read; what is absent or null stays empty.
struct Entry {
  std::optional<std::string> data;
  std::optional<std::string> partition_key;
};

enum class Strings { kWithQuotes, kRaw };

std::expected<std::optional<std::string>, Fault> read_data(JsonCursor& cursor, Strings strings) {
  READ(const auto slice, cursor.value());
  if (slice == "null") return std::nullopt;
  if (strings == Strings::kRaw && slice.starts_with('"')) return JsonCursor::decode_string(slice);
  return std::string(slice);
}

std::expected<std::optional<std::string>, Fault> read_key(JsonCursor& cursor) {
  READ(const auto kind, cursor.peek());
  READ(const auto slice, cursor.value());
  switch (kind) {
    case JsonKind::kNull:
      return std::nullopt;
    case JsonKind::kString:
      return JsonCursor::decode_string(slice);
    case JsonKind::kNumber:
    case JsonKind::kBoolean:
      return std::string(slice);
    case JsonKind::kObject:
      return wrong_type("Start of structure or map found where not expected.");
    case JsonKind::kArray:
      return wrong_type("Start of list found where not expected");
  }
  return std::nullopt;
}

// Reads one object of data and key. Members of other names are checked and passed over, as Kinesis does.
std::expected<Entry, Fault> read_entry(JsonCursor& cursor, Strings strings) {
  Entry entry;
  READ(const auto kind, cursor.peek());
  if (kind != JsonKind::kObject) return not_json(fmt::format("an object is expected at {}", cursor.place()));
  if (auto begun = cursor.begin_object(); !begun) return not_json(begun.error().message);
  for (;;) {
    READ(const auto name, cursor.next_member());
    if (!name) return entry;
    if (*name == "Data" || *name == "data") {
      auto data = read_data(cursor, strings);
      if (!data) return Broken(std::move(data).error());
      entry.data = std::move(*data);
    } else if (*name == "PartitionKey" || *name == "partition-key" || *name == "partitionKey") {
      auto key = read_key(cursor);
      if (!key) return Broken(std::move(key).error());
      entry.partition_key = std::move(*key);
    } else {
      READ([[maybe_unused]] const auto ignored, cursor.value());
    }
  }
}

void validate(Validation& validation, const Entry& entry, std::string_view path) {
  const std::string data_path = fmt::format("{}data", path);
  const std::string key_path = fmt::format("{}partitionKey", path);
  // The gateway's template makes "" of a missing key, and the answer says so.
  const std::string key = entry.partition_key.value_or("");
  validation.require_present(entry.data.has_value(), data_path);
  validation.require(!key.empty(), key_path, "Member must have length greater than or equal to 1", key);
  validation.require(key.size() <= kMaxKeyBytes, key_path, "Member must have length less than or equal to 256", key);
}

// Reads the array of entries; past the bound they are counted only.
std::expected<std::vector<Entry>, Fault> read_entries(JsonCursor& cursor) {
  std::vector<Entry> entries;
  if (auto begun = cursor.begin_array(); !begun) return not_json(begun.error().message);
  for (;;) {
    READ(const bool more, cursor.next_element());
    if (!more) return entries;
    auto entry = read_entry(cursor, Strings::kRaw);
    if (!entry) return Broken(std::move(entry).error());
    entries.push_back(std::move(*entry));
  }
}

std::expected<std::optional<std::vector<Entry>>, Fault> read_records_member(JsonCursor& cursor) {
  std::optional<std::vector<Entry>> entries;
  if (auto begun = cursor.begin_object(); !begun) return not_json(begun.error().message);
  for (;;) {
    READ(const auto name, cursor.next_member());
    if (!name) break;
    READ(const auto kind, cursor.peek());
    if ((*name == "records" || *name == "Records") && kind != JsonKind::kNull) {
      auto read = read_entries(cursor);
      if (!read) return Broken(std::move(read).error());
      entries = std::move(*read);
    } else {
      READ([[maybe_unused]] const auto ignored, cursor.value());
    }
  }
  if (auto end = cursor.end(); !end) return not_json(end.error().message);
  return entries;
}

}  // namespace

http::Response answer(const Fault& fault) {
  JsonWriter out;
  out.begin_object();
  if (!fault.type.empty()) out.key("__type").string(fault.type);
  out.key("message").string(fault.message).end_object();
  auto response = http::Response::json(fault.status, std::move(out).take());
  if (!fault.type.empty()) response.headers.add("x-amzn-ErrorType", fault.type);
  return response;
}

void Validation::require(bool good, std::string_view path, std::string_view constraint, std::string_view shown_value) {
  if (good || clauses_.size() >= kMaxClauses) return;
  clauses_.push_back(
      fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", shown_value.substr(0, 300), path, constraint));
}

void Validation::require_present(bool present, std::string_view path) {
  if (present || clauses_.size() >= kMaxClauses) return;
  clauses_.push_back(fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null", path));
}

void Validation::require_stream_name(std::string_view name) {
  const bool good = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
  require(good, "streamName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", name);
  require(name.size() <= 128, "streamName", "Member must have length less than or equal to 128", name);
}

Fault Validation::fault() const {
  return {400, "ValidationException",
          fmt::format("{} validation error{} detected: {}", clauses_.size(), clauses_.size() == 1 ? "" : "s",
                      fmt::join(clauses_, "; "))};
}

std::expected<PutEntry, Fault> parse_put_record(std::string_view stream, std::string_view body) {
  JsonCursor cursor(body);
  auto entry = read_entry(cursor, Strings::kWithQuotes);
  if (!entry) return Broken(std::move(entry).error());
  if (auto end = cursor.end(); !end) return not_json(end.error().message);
  Validation validation;
  validation.require_stream_name(stream);
  validate(validation, *entry, "");
  if (!validation.passed()) return Broken(validation.fault());
  return PutEntry{std::move(*entry->data), std::move(*entry->partition_key)};
}

std::expected<std::vector<PutEntry>, Fault> parse_put_records(std::string_view stream, std::string_view body) {
  JsonCursor cursor(body);
  auto entries = read_records_member(cursor);
  if (!entries) return Broken(std::move(entries).error());
  Validation validation;
  validation.require_stream_name(stream);
  validation.require_present(entries->has_value(), "records");
  const std::size_t count = *entries ? (*entries)->size() : 0;
  if (*entries) {
    validation.require(count >= 1, "records", "Member must have length greater than or equal to 1", "[]");
    validation.require(count <= kMaxRecords, "records", "Member must have length less than or equal to 500",
                       fmt::format("{} records", count));
  }
  for (std::size_t i = 0; i < count; ++i)
    validate(validation, (**entries)[i], fmt::format("records.{}.member.", i + 1));
  if (!validation.passed()) return Broken(validation.fault());
  std::vector<PutEntry> out;
  out.reserve(count);
  for (auto& entry : **entries) out.push_back({std::move(*entry.data), std::move(*entry.partition_key)});
  return out;
}

std::expected<std::int32_t, Fault> parse_create_stream(std::string_view stream, std::string_view body) {
  Validation validation;
  validation.require_stream_name(stream);
  std::optional<std::string_view> count;
  if (!body.empty()) {
    JsonCursor cursor(body);
    if (auto begun = cursor.begin_object(); !begun) return not_json(begun.error().message);
    for (;;) {
      READ(const auto name, cursor.next_member());
      if (!name) break;
      READ(const auto slice, cursor.value());
      if (*name == "ShardCount" && slice != "null") count = slice;
    }
    if (auto end = cursor.end(); !end) return not_json(end.error().message);
  }
  std::int32_t shards = kDefaultShards;
  if (count) {
    const auto [end, error] = std::from_chars(count->data(), count->data() + count->size(), shards);
    if (end != count->data() + count->size() || error == std::errc::invalid_argument) {
      return wrong_type(fmt::format("ShardCount must be an integer, not {}", count->substr(0, 40)));
    }
    if (error != std::errc{}) shards = count->starts_with('-') ? 0 : INT32_MAX;
  }
  validation.require(shards >= 1, "shardCount", "Member must have value greater than or equal to 1",
                     fmt::format("{}", shards));
  if (!validation.passed()) return Broken(validation.fault());
  return shards;
}

#undef READ

}  // namespace pinflow::doors::streams
