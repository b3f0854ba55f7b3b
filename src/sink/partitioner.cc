#include "sink/partitioner.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/time_zone.h"
#include "base/timestamp.h"
#include "sink/internal/path_format.h"

namespace pinflow::sink {

namespace {

using internal::PathFormat;

// Percent codes for all that could divide or hide a folder; two values never give the same text.
std::string path_part(std::string_view text) {
  std::string part;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._=+,:@-").contains(c);
    if (plain) {
      part += c;
    } else {
      fmt::format_to(std::back_inserter(part), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return part;
}

// Members of a record's JSON value by name, "user.country" for one within another.
class JsonFields {
 public:
  void load(const std::optional<std::string>& value) {
    loaded_ = value && parser_.parse(*value).get(document_) == simdjson::SUCCESS;
  }
  // None where the value is no JSON, or has no such member.
  std::optional<simdjson::dom::element> find(std::string_view path) const {
    if (!loaded_) return std::nullopt;
    for (simdjson::dom::element at = document_;;) {
      const std::size_t dot = path.find('.');
      simdjson::dom::element below;
      if (at.at_key(path).get(below) == simdjson::SUCCESS) return below;
      if (dot == path.npos || at.at_key(path.substr(0, dot)).get(below) != simdjson::SUCCESS) return std::nullopt;
      at = below;
      path.remove_prefix(dot + 1);
    }
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element document_;
  bool loaded_ = false;
};

std::optional<WallTime> time_of(const simdjson::dom::element& field) {
  std::int64_t number = 0;
  if (field.get(number) == simdjson::SUCCESS) return WallTime(std::chrono::milliseconds(number));
  std::string_view text;
  if (field.get(text) != simdjson::SUCCESS) return std::nullopt;
  if (const auto time = parse_iso8601(text)) return time;
  if (text.size() >= 19 && (text[10] == ' ' || text[10] == 'T')) {  // "2026-11-22 10:15:00", which is taken as UTC.
    std::string iso(text);
    iso[10] = 'T';
    return parse_iso8601(iso + "Z");
  }
  return std::nullopt;
}

std::string field_text(const simdjson::dom::element& field) {
  std::string_view text;
  return field.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(field);
}

class DefaultPartitioner final : public Partitioner {
 public:
  Place place(log::PartitionId partition, const log::StoredRecord& record, WallTime) override {
    return {fmt::format("partition={}", partition), record.timestamp};
  }
};

class FieldPartitioner final : public Partitioner {
 public:
  explicit FieldPartitioner(std::vector<std::string> fields) : fields_(std::move(fields)) {}
  Place place(log::PartitionId, const log::StoredRecord& record, WallTime) override {
    json_.load(record.value);
    Place place{{}, record.timestamp};
    for (const std::string& name : fields_) {
      const auto field = json_.find(name);
      if (!place.path.empty()) place.path += '/';
      place.path += fmt::format("{}={}", path_part(name), field ? path_part(field_text(*field)) : "null");
    }
    return place;
  }

 private:
  const std::vector<std::string> fields_;
  JsonFields json_;
};

class TimePartitioner final : public Partitioner {
 public:
  TimePartitioner(const PartitionerOptions& options, PathFormat format, TimeZone zone,
                  std::chrono::milliseconds duration)
      : options_(options), format_(std::move(format)), zone_(std::move(zone)), duration_(duration) {}

  Place place(log::PartitionId, const log::StoredRecord& record, WallTime now) override {
    const WallTime time = time_of_record(record, now);
    const auto local = zone_.local(time).time_since_epoch();
    auto begin = local - local % duration_;
    if (begin > local) begin -= duration_;  // Before 1970.
    if (begin != begin_) {
      begin_ = begin;
      path_ = format_.format(std::chrono::local_time<std::chrono::milliseconds>(begin));
    }
    return {path_, time};
  }

 private:
  WallTime time_of_record(const log::StoredRecord& record, WallTime now) {
    if (options_.extractor == TimestampExtractor::kWallclock) return now;
    if (options_.extractor == TimestampExtractor::kRecord) return record.timestamp;
    json_.load(record.value);
    const auto field = json_.find(options_.timestamp_field);
    return (field ? time_of(*field) : std::nullopt).value_or(record.timestamp);
  }

  const PartitionerOptions options_;
  const PathFormat format_;
  const TimeZone zone_;
  const std::chrono::milliseconds duration_;
  JsonFields json_;
  std::chrono::milliseconds begin_ = std::chrono::milliseconds::min();
  std::string path_;
};

constexpr std::string_view kDailyPath = "'year'=YYYY/'month'=MM/'day'=dd";
constexpr std::string_view kHourlyPath = "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH";

Result<std::unique_ptr<Partitioner>> make_by_time(const PartitionerOptions& options, std::string_view path_format,
                                                  std::chrono::milliseconds duration) {
  TRY_ASSIGN(auto zone, TimeZone::load(options.timezone));
  TRY_ASSIGN(auto format, PathFormat::parse(path_format));
  if (duration <= std::chrono::milliseconds::zero())
    return fail(ErrorCode::kInvalid, "the partition duration is a time longer than 0");
  const std::string sample = format.format({});
  if (sample.starts_with('/') || sample.ends_with('/') || sample.contains("//") || sample.starts_with('.') ||
      sample.contains("/."))
    return fail(ErrorCode::kInvalid,
                fmt::format("the path format {} makes folders without a name, or hidden ones", path_format));
  return std::make_unique<TimePartitioner>(options, std::move(format), std::move(zone), duration);
}

}  // namespace

Result<std::unique_ptr<Partitioner>> Partitioner::make(const PartitionerOptions& options) {
  switch (options.kind) {
    case PartitionerKind::kDefault:
      return std::make_unique<DefaultPartitioner>();
    case PartitionerKind::kTimeBased:
      return make_by_time(options, options.path_format, options.partition_duration);
    case PartitionerKind::kDaily:
      return make_by_time(options, kDailyPath, std::chrono::hours(24));
    case PartitionerKind::kHourly:
      return make_by_time(options, kHourlyPath, std::chrono::hours(1));
    case PartitionerKind::kField:
      break;
  }
  const auto unnamed = [](const std::string& name) { return name.empty() || name.front() == '.'; };
  if (options.fields.empty() || std::ranges::any_of(options.fields, unnamed))
    return fail(ErrorCode::kInvalid, "a field partitioner needs the names of fields (partition.field.name)");
  return std::make_unique<FieldPartitioner>(options.fields);
}

}  // namespace pinflow::sink
