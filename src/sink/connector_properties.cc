#include "sink/connector_properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace pinflow::sink {

namespace {

using Properties = std::map<std::string, std::string>;

constexpr std::string_view kBlanks = " \t\f\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// Undoes the backslashes of a properties file, but for codes of characters.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    out += next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : next;
  }
  return out;
}

void add_property(std::string_view line, Properties& properties) {
  std::size_t end = 0;
  while (end < line.size() && line[end] != '=' && line[end] != ':' && !kBlanks.contains(line[end]))
    end += line[end] == '\\' ? 2 : 1;
  end = std::min(end, line.size());
  std::string_view value = trimmed(line.substr(end));
  if (value.starts_with('=') || value.starts_with(':')) value.remove_prefix(1);
  properties[unescaped(line.substr(0, end))] = unescaped(trimmed(value));
}

Properties parse(std::string_view text) {
  Properties properties;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view piece = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() && (piece.empty() || piece.front() == '#' || piece.front() == '!')) continue;
    const std::size_t last = piece.find_last_not_of('\\');
    const std::size_t slashes = piece.size() - (last == piece.npos ? 0 : last + 1);
    const bool goes_on = slashes % 2 == 1;
    if (goes_on) piece.remove_suffix(1);
    line += piece;
    if (goes_on && !text.empty()) continue;
    add_property(line, properties);
    line.clear();
  }
  return properties;
}

// Takes settings out of the file one by one; what is left at the end is unknown.
class Reader {
 public:
  explicit Reader(Properties properties) : properties_(std::move(properties)) {}

  std::optional<std::string> take(const std::string& name) {
    const auto found = properties_.find(name);
    if (found == properties_.end()) return std::nullopt;
    std::string value = std::move(found->second);
    properties_.erase(found);
    return value;
  }
  Result<std::optional<std::int64_t>> take_number(const std::string& name, std::int64_t least) {
    const auto text = take(name);
    if (!text) return std::optional<std::int64_t>();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || value < least)
      return fail(ErrorCode::kInvalid,
                  fmt::format("{}: expected a whole number from {} on, not '{}'", name, least, *text));
    return std::optional(value);
  }
  const Properties& left() const { return properties_; }

 private:
  Properties properties_;
};

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const auto part = trimmed(list.substr(0, comma)); !part.empty()) parts.emplace_back(part);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

// The last part of a Java class, without what the connector lets people write before it.
std::string_view class_name(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

Result<void> read_topics(Reader& reader, SinkOptions& options) {
  const auto topics = reader.take("topics");
  const auto regex = reader.take("topics.regex");
  if (topics.has_value() == regex.has_value())
    return fail(ErrorCode::kInvalid, "topics, topics.regex: a connector has one of the two");
  options.topics = split(topics.value_or(""));
  for (const std::string& topic : options.topics) {
    if (topic.contains('*')) return fail(ErrorCode::kInvalid, fmt::format("topics: '{}' is no name of a topic", topic));
  }
  options.topics_regex = regex.value_or("");
  return {};
}

Result<void> read_rotation(Reader& reader, SinkOptions& options) {
  TRY_ASSIGN(const auto flush_size, reader.take_number("flush.size", 1));
  if (!flush_size) return fail(ErrorCode::kInvalid, "flush.size: the connector needs it; set the records of an object");
  options.flush_size = *flush_size;
  // The connector puts an object for these reasons alone.
  options.rotate_interval = std::chrono::hours(24 * 3'650);
  options.max_object = options.max_memory;
  TRY_ASSIGN(const auto interval, reader.take_number("rotate.interval.ms", -1));
  if (interval && *interval > 0) options.rotate_record_interval = std::chrono::milliseconds(*interval);
  TRY_ASSIGN(const auto schedule, reader.take_number("rotate.schedule.interval.ms", -1));
  if (schedule && *schedule > 0) options.rotate_schedule_interval = std::chrono::milliseconds(*schedule);
  return {};
}

Result<void> read_format(Reader& reader, ConnectorSettings& settings) {
  SinkOptions& options = settings.options;
  const std::string format = reader.take("format.class").value_or("");
  const std::string_view name = class_name(format);
  if (name != "JsonFormat" && name != "ParquetFormat") {
    return fail(ErrorCode::kInvalid,
                fmt::format("format.class: '{}' is none of io.confluent.connect.s3.format.json.JsonFormat and "
                            "io.confluent.connect.s3.format.parquet.ParquetFormat",
                            format));
  }
  options.format = name == "JsonFormat" ? Format::kJson : Format::kParquet;
  const std::string compression = reader.take("s3.compression.type").value_or("none");
  const std::string codec = reader.take("parquet.codec").value_or("snappy");
  const std::string& chosen = options.format == Format::kJson ? compression : codec;
  if (chosen == "gzip") {
    options.compression = Compression::kGzip;
  } else if (chosen == "zstd") {
    options.compression = Compression::kZstd;
  } else if (chosen == "snappy" && options.format == Format::kParquet) {
    options.compression = Compression::kSnappy;
  } else if (chosen != "none" && chosen != "uncompressed") {
    return fail(ErrorCode::kInvalid,
                fmt::format("s3.compression.type, parquet.codec: '{}' is not known for {}", chosen, name));
  }
  if (options.format == Format::kParquet)
    settings.remarks.emplace_back(
        "format.class: Parquet objects hold offset, timestamp, key, value and headers; there is no schema whose fields "
        "could be columns");
  TRY_ASSIGN(const auto level, reader.take_number("s3.compression.level", -1));
  if (level && *level != -1) settings.remarks.emplace_back("s3.compression.level: the level is the codec's own");
  return {};
}

Result<void> read_extractor(Reader& reader, PartitionerOptions& partitioner) {
  const std::string extractor(class_name(reader.take("timestamp.extractor").value_or("Wallclock")));
  if (extractor.starts_with("Wallclock")) {
    partitioner.extractor = TimestampExtractor::kWallclock;
  } else if (extractor == "RecordField" || extractor.starts_with("RecordFieldTimestampExtractor")) {
    partitioner.extractor = TimestampExtractor::kRecordField;
  } else if (extractor == "Record" || extractor.ends_with("RecordTimestampExtractor")) {
    partitioner.extractor = TimestampExtractor::kRecord;
  } else {
    return fail(ErrorCode::kInvalid,
                fmt::format("timestamp.extractor: '{}' is none of Wallclock, Record and RecordField", extractor));
  }
  partitioner.timestamp_field = reader.take("timestamp.field").value_or("timestamp");
  return {};
}

Result<void> read_partitioner(Reader& reader, ConnectorSettings& settings) {
  PartitionerOptions& partitioner = settings.options.partitioner;
  const std::string name(class_name(reader.take("partitioner.class").value_or("DefaultPartitioner")));
  constexpr std::array<std::pair<std::string_view, PartitionerKind>, 5> kKinds = {
      {{"DefaultPartitioner", PartitionerKind::kDefault},
       {"TimeBasedPartitioner", PartitionerKind::kTimeBased},
       {"DailyPartitioner", PartitionerKind::kDaily},
       {"HourlyPartitioner", PartitionerKind::kHourly},
       {"FieldPartitioner", PartitionerKind::kField}}};
  const auto* const kind = std::ranges::find(kKinds, name, &std::pair<std::string_view, PartitionerKind>::first);
  if (kind == kKinds.end()) return fail(ErrorCode::kInvalid, fmt::format("partitioner.class: '{}' is not known", name));
  partitioner.kind = kind->second;
  TRY(read_extractor(reader, partitioner));
  partitioner.path_format = reader.take("path.format").value_or("");
  partitioner.timezone = reader.take("timezone").value_or("UTC");
  partitioner.fields = split(reader.take("partition.field.name").value_or(""));
  TRY_ASSIGN(const auto duration, reader.take_number("partition.duration.ms", -1));
  if (duration) partitioner.partition_duration = std::chrono::milliseconds(*duration);
  if (partitioner.kind == PartitionerKind::kTimeBased && (!duration || *duration <= 0))
    return fail(ErrorCode::kInvalid, "partition.duration.ms: a TimeBasedPartitioner needs a time longer than 0");
  const std::string locale = reader.take("locale").value_or("en");
  const bool has_names = partitioner.path_format.contains("MMM") || partitioner.path_format.contains('E');
  if (!locale.starts_with("en") && has_names)
    return fail(ErrorCode::kInvalid, fmt::format("locale: names of months and days are English, not '{}'", locale));
  return {};
}

Result<void> read_names(Reader& reader, NameForm& names) {
  names.topics_dir = reader.take("topics.dir").value_or("topics");
  names.delimiter = reader.take("file.delim").value_or("+");
  TRY_ASSIGN(const auto pad, reader.take_number("filename.offset.zero.pad.width", 0));
  names.pad = static_cast<int>(std::min<std::int64_t>(pad.value_or(10), 99));
  return {};
}

// Settings that mean nothing here, whatever they say: there is nothing that could come out otherwise.
constexpr std::array<std::string_view, 22> kWithoutMeaning = {"name",
                                                              "connector.class",
                                                              "tasks.max",
                                                              "storage.class",
                                                              "key.converter",
                                                              "key.converter.schemas.enable",
                                                              "value.converter",
                                                              "value.converter.schemas.enable",
                                                              "schema.generator.class",
                                                              "s3.part.size",
                                                              "s3.part.retries",
                                                              "s3.retry.backoff.ms",
                                                              "retry.backoff.ms",
                                                              "shutdown.timeout.ms",
                                                              "schema.cache.size",
                                                              "enhanced.avro.schema.support",
                                                              "connect.meta.data",
                                                              "s3.elastic.buffer.enable",
                                                              "s3.elastic.buffer.init.capacity",
                                                              "s3.http.send.expect.continue",
                                                              "partitioner.max.open.files",
                                                              "allow.optional.map.keys"};

// Settings whose other values ask for something that is not done here.
struct Fixed {
  std::string_view name, obeyed, instead;
};
constexpr std::array<Fixed, 9> kFixed = {
    {{"schema.compatibility", "NONE", "records have no schema; objects never end for one"},
     {"behavior.on.null.values", "write", "records without value are kept as {\"pinflow.raw\":null}"},
     {"errors.tolerance", "all", "every record is put; none is refused"},
     {"store.kafka.keys", "false", "keys are kept in Parquet objects alone"},
     {"store.kafka.headers", "false", "headers are kept in Parquet objects alone"},
     {"s3.object.tagging", "false", "objects get no tags"},
     {"s3.acl.canned", "", "objects get the bucket's own access rules"},
     {"s3.ssea.name", "", "the bucket's own encryption counts"},
     {"format.class.schemas.enable", "false", "lines hold values without schemas"}}};

void add_remarks(Reader& reader, ConnectorSettings& settings) {
  for (const std::string_view name : kWithoutMeaning) (void)reader.take(std::string(name));
  for (const Fixed& fixed : kFixed) {
    const auto value = reader.take(std::string(fixed.name));
    if (value && *value != fixed.obeyed)
      settings.remarks.push_back(fmt::format("{} = {}: not obeyed; {}", fixed.name, *value, fixed.instead));
  }
  for (const auto& [name, value] : reader.left()) {
    const bool secret = name.contains("secret") || name.contains("password") || name.contains("key");
    settings.remarks.push_back(
        fmt::format("{}{}: not known, and not obeyed", name, secret ? std::string() : fmt::format(" = {}", value)));
  }
}

}  // namespace

Result<ConnectorSettings> read_connector_properties(std::string_view text, SinkOptions base) {
  ConnectorSettings settings;
  settings.options = std::move(base);
  Reader reader(parse(text));
  TRY(read_topics(reader, settings.options));
  TRY(read_rotation(reader, settings.options));
  TRY(read_format(reader, settings));
  TRY(read_partitioner(reader, settings));
  TRY(read_names(reader, settings.options.names));
  settings.bucket = reader.take("s3.bucket.name").value_or("");
  settings.region = reader.take("s3.region").value_or("");
  settings.endpoint = reader.take("store.url").value_or("");
  add_remarks(reader, settings);
  TRY(check(settings.options));
  return settings;
}

}  // namespace pinflow::sink
