#include "delta/internal/transaction_log.h"

#include <charconv>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"

namespace pinflow::delta::internal {

namespace {

namespace dom = simdjson::dom;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

void write_texts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.string(text);
  json.end_array();
}

void write_map(JsonWriter& json, const std::map<std::string, std::string>& map) {
  json.begin_object();
  for (const auto& [key, value] : map) json.key(key).string(value);
  json.end_object();
}

// Null is spelled as such: every writer does, while not every reader takes the empty text for it.
void write_values(JsonWriter& json, const PartitionValues& values) {
  json.key("partitionValues").begin_object();
  for (const auto& [column, value] : values) {
    json.key(column);
    if (value.empty()) {
      json.null();
    } else {
      json.string(value);
    }
  }
  json.end_object();
}

void write(JsonWriter& json, const CommitInfo& info) {
  json.key("commitInfo").begin_object();
  json.key("timestamp").integer(info.timestamp_ms);
  json.key("operation").string(info.operation);
  json.key("operationParameters");
  write_map(json, info.parameters);
  json.key("isBlindAppend").boolean(info.blind_append);
  if (!info.metrics.empty()) {
    json.key("operationMetrics");
    write_map(json, info.metrics);
  }
  json.key("engineInfo").string(info.engine);
  json.key("txnId").string(info.transaction_id);
  json.end_object();
}

void write(JsonWriter& json, const Protocol& protocol) {
  json.key("protocol").begin_object();
  json.key("minReaderVersion").integer(protocol.reader);
  json.key("minWriterVersion").integer(protocol.writer);
  json.end_object();
}

void write(JsonWriter& json, const Metadata& metadata) {
  json.key("metaData").begin_object();
  json.key("id").string(metadata.id);
  json.key("name").string(metadata.name);
  if (!metadata.description.empty()) json.key("description").string(metadata.description);
  json.key("format").begin_object().key("provider").string(metadata.provider);
  json.key("options").begin_object().end_object().end_object();
  json.key("schemaString").string(metadata.schema);
  json.key("partitionColumns");
  write_texts(json, metadata.partition_columns);
  json.key("configuration");
  write_map(json, metadata.configuration);
  json.key("createdTime").integer(metadata.created_ms);
  json.end_object();
}

void write(JsonWriter& json, const Txn& txn) {
  json.key("txn").begin_object();
  json.key("appId").string(txn.app_id);
  json.key("version").integer(txn.version);
  json.key("lastUpdated").integer(txn.updated_ms);
  json.end_object();
}

void write(JsonWriter& json, const Remove& remove) {
  json.key("remove").begin_object();
  json.key("path").string(remove.path);
  json.key("deletionTimestamp").integer(remove.deletion_ms);
  json.key("dataChange").boolean(remove.data_change);
  json.key("extendedFileMetadata").boolean(true);
  write_values(json, remove.partition_values);
  json.key("size").integer(static_cast<std::int64_t>(remove.size));
  json.end_object();
}

void write(JsonWriter& json, const Add& add) {
  json.key("add").begin_object();
  json.key("path").string(add.file.path);
  write_values(json, add.file.partition_values);
  json.key("size").integer(static_cast<std::int64_t>(add.file.size));
  json.key("modificationTime").integer(add.file.modified.time_since_epoch().count());
  json.key("dataChange").boolean(add.data_change);
  if (!add.file.statistics.empty()) json.key("stats").string(add.file.statistics);
  json.end_object();
}

// Members of an object; a missing one, a null and one of another type all read as "not there".
std::string text(dom::object object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

std::optional<std::int64_t> integer(dom::object object, std::string_view key) {
  std::int64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

bool boolean(dom::object object, std::string_view key, bool fallback) {
  bool value = false;
  return object[key].get(value) == simdjson::SUCCESS ? value : fallback;
}

std::vector<std::string> texts(dom::object object, std::string_view key) {
  std::vector<std::string> all;
  dom::array array;
  if (object[key].get(array) != simdjson::SUCCESS) return all;
  for (const dom::element element : array) {
    std::string_view value;
    if (element.get(value) == simdjson::SUCCESS) all.emplace_back(value);
  }
  return all;
}

std::map<std::string, std::string> text_map(dom::object object, std::string_view key) {
  std::map<std::string, std::string> all;
  dom::object map;
  if (object[key].get(map) != simdjson::SUCCESS) return all;
  for (const auto& [name, element] : map) {
    std::string_view value;
    if (element.get(value) == simdjson::SUCCESS) all.emplace(name, value);
  }
  return all;
}

PartitionValues partition_values(dom::object object) {
  PartitionValues all;
  dom::object map;
  if (object["partitionValues"].get(map) != simdjson::SUCCESS) return all;
  for (const auto& [column, element] : map) {
    std::string_view value;
    all.emplace(column, element.get(value) == simdjson::SUCCESS ? std::string(value) : std::string());
  }
  return all;
}

// Some writers keep absolute paths, once with a scheme and once without; the file is one.
std::string canonical(std::string path) {
  if (!path.starts_with("file:")) return path;
  path.erase(0, 5);
  const std::size_t first = path.find_first_not_of('/');
  return "/" + (first == path.npos ? std::string() : path.substr(first));
}

std::int64_t rows_of(const std::string& statistics, dom::parser& parser) {
  dom::object object;
  if (statistics.empty() || parser.parse(statistics).get(object) != simdjson::SUCCESS) return 0;
  return integer(object, "numRecords").value_or(0);
}

Result<Action> read_protocol(dom::object object) {
  const auto reader = integer(object, "minReaderVersion");
  const auto writer = integer(object, "minWriterVersion");
  if (!reader || !writer) return fail(ErrorCode::kCorrupt, "a protocol without minReaderVersion or minWriterVersion");
  return Action(Protocol{*reader, *writer, texts(object, "readerFeatures"), texts(object, "writerFeatures")});
}

Result<Action> read_metadata(dom::object object) {
  Metadata metadata;
  metadata.id = text(object, "id");
  metadata.name = text(object, "name");
  metadata.description = text(object, "description");
  dom::object format;
  if (object["format"].get(format) == simdjson::SUCCESS) metadata.provider = text(format, "provider");
  metadata.schema = text(object, "schemaString");
  metadata.partition_columns = texts(object, "partitionColumns");
  metadata.configuration = text_map(object, "configuration");
  metadata.created_ms = integer(object, "createdTime").value_or(0);
  if (metadata.schema.empty()) return fail(ErrorCode::kCorrupt, "a metaData without schemaString");
  return Action(std::move(metadata));
}

Result<Action> read_add(dom::object object, dom::parser& statistics_parser) {
  Add add;
  add.file.path = canonical(text(object, "path"));
  add.file.size = static_cast<std::uint64_t>(integer(object, "size").value_or(0));
  add.file.modified = WallTime(std::chrono::milliseconds(integer(object, "modificationTime").value_or(0)));
  add.file.statistics = text(object, "stats");
  add.file.rows = rows_of(add.file.statistics, statistics_parser);
  add.file.partition_values = partition_values(object);
  add.data_change = boolean(object, "dataChange", true);
  dom::object vector;
  add.has_deletion_vector = object["deletionVector"].get(vector) == simdjson::SUCCESS;
  if (add.file.path.empty()) return fail(ErrorCode::kCorrupt, "an add without path");
  return Action(std::move(add));
}

Result<Action> read_remove(dom::object object) {
  Remove remove{canonical(text(object, "path")), integer(object, "deletionTimestamp").value_or(0),
                boolean(object, "dataChange", true), static_cast<std::uint64_t>(integer(object, "size").value_or(0)),
                partition_values(object)};
  if (remove.path.empty()) return fail(ErrorCode::kCorrupt, "a remove without path");
  return Action(std::move(remove));
}

Result<Action> read_txn(dom::object object) {
  const auto version = integer(object, "version");
  Txn txn{text(object, "appId"), version.value_or(0), integer(object, "lastUpdated").value_or(0)};
  if (txn.app_id.empty() || !version) return fail(ErrorCode::kCorrupt, "a txn without appId or version");
  return Action(std::move(txn));
}

Action read_info(dom::object object) {
  return CommitInfo{integer(object, "timestamp").value_or(0),
                    text(object, "operation"),
                    text_map(object, "operationParameters"),
                    boolean(object, "isBlindAppend", false),
                    text_map(object, "operationMetrics"),
                    text(object, "engineInfo"),
                    text(object, "txnId")};
}

Result<std::optional<Action>> read_action(std::string_view kind, dom::object object, dom::parser& statistics_parser) {
  using Reader = Result<Action> (*)(dom::object);
  static constexpr std::pair<std::string_view, Reader> kReaders[] = {
      {"remove", read_remove}, {"txn", read_txn}, {"protocol", read_protocol}, {"metaData", read_metadata}};
  if (kind == "commitInfo") return read_info(object);
  if (kind == "add") {
    TRY_ASSIGN(Action action, read_add(object, statistics_parser));
    return action;
  }
  for (const auto& [name, reader] : kReaders) {
    if (name != kind) continue;
    TRY_ASSIGN(Action action, reader(object));
    return action;
  }
  return std::nullopt;
}

std::optional<std::int64_t> digits(std::string_view text, std::size_t count) {
  if (text.size() != count) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

constexpr std::size_t kVersionDigits = 20;
constexpr std::size_t kPartDigits = 10;

}  // namespace

std::string format_commit(const Commit& commit) {
  std::string bytes;
  for (const Action& action : commit) {
    JsonWriter json;
    json.begin_object();
    std::visit([&](const auto& what) { write(json, what); }, action);
    json.end_object();
    bytes += std::move(json).take();
    bytes += '\n';
  }
  return bytes;
}

Result<Commit> parse_commit(std::string_view bytes) {
  Commit commit;
  dom::parser parser;  // One for all lines: its buffers are what costs.
  dom::parser statistics_parser;
  for (std::size_t line_number = 1; !bytes.empty(); ++line_number) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    dom::object object;
    if (const auto error = parser.parse(line.data(), line.size()).get(object)) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("line {} is no action: {}", line_number, simdjson::error_message(error)));
    }
    for (const auto& [kind, element] : object) {
      dom::object members;
      if (element.get(members) != simdjson::SUCCESS) continue;
      auto action = read_action(kind, members, statistics_parser);
      if (!action) return fail(std::move(action.error()).with_context(fmt::format("line {}", line_number)));
      if (*action) commit.push_back(**std::move(action));
    }
  }
  return commit;
}

std::string format_hint(const CheckpointHint& hint) {
  JsonWriter json;
  json.begin_object();
  json.key("version").integer(hint.version.value());
  json.key("size").integer(hint.actions);
  json.key("sizeInBytes").integer(static_cast<std::int64_t>(hint.bytes));
  json.key("numOfAddFiles").integer(hint.files);
  json.end_object();
  return std::move(json).take();
}

Result<CheckpointHint> parse_hint(std::string_view bytes) {
  dom::parser parser;
  dom::object object;
  if (const auto error = parser.parse(bytes.data(), bytes.size()).get(object)) {
    return fail(ErrorCode::kCorrupt, fmt::format("{} is damaged: {}", kHintName, simdjson::error_message(error)));
  }
  const auto version = integer(object, "version");
  if (!version || *version < 0) return fail(ErrorCode::kCorrupt, fmt::format("{} names no version", kHintName));
  return CheckpointHint{Version(*version), integer(object, "size").value_or(0),
                        static_cast<std::uint64_t>(integer(object, "sizeInBytes").value_or(0)),
                        integer(object, "numOfAddFiles").value_or(0)};
}

std::string commit_name(Version version) {
  return fmt::format("{}{:020}.json", kLogFolder, version.value());
}
std::string checkpoint_name(Version version) {
  return fmt::format("{}{:020}.checkpoint.parquet", kLogFolder, version.value());
}

std::optional<Version> leading_version(std::string_view name) {
  if (name.size() <= kVersionDigits || name[kVersionDigits] != '.') return std::nullopt;
  const auto version = digits(name.substr(0, kVersionDigits), kVersionDigits);
  return version ? std::optional(Version(*version)) : std::nullopt;
}

std::optional<LogName> parse_log_name(std::string_view name) {
  const auto version = digits(name.substr(0, kVersionDigits), kVersionDigits);
  if (!version) return std::nullopt;
  std::string_view rest = name.substr(kVersionDigits);
  LogName found{LogName::Kind::kCommit, Version(*version)};
  if (rest == ".json") return found;
  if (!rest.starts_with(".checkpoint.")) return std::nullopt;
  rest.remove_prefix(std::string_view(".checkpoint.").size());
  found.kind = LogName::Kind::kCheckpoint;
  if (rest == "parquet") return found;
  // <part, 10 digits>.<parts, 10 digits>.parquet
  const auto part = digits(rest.substr(0, kPartDigits), kPartDigits);
  if (part && rest.size() == 2 * kPartDigits + std::string_view("..parquet").size() && rest[kPartDigits] == '.' &&
      rest.ends_with(".parquet")) {
    const auto parts = digits(rest.substr(kPartDigits + 1, kPartDigits), kPartDigits);
    if (!parts) return std::nullopt;
    found.kind = LogName::Kind::kCheckpointPart;
    found.part = *part;
    found.parts = *parts;
    return found;
  }
  // <uuid>.parquet or <uuid>.json: a table feature, v2Checkpoint.
  found.kind = LogName::Kind::kCheckpointV2;
  return rest.ends_with(".parquet") || rest.ends_with(".json") ? std::optional(found) : std::nullopt;
}

}  // namespace pinflow::delta::internal
