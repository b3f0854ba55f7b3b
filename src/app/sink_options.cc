#include "app/sink_options.h"

#include <map>

#include <fmt/format.h>

#include "sink/connector_properties.h"

namespace pinflow::app {

namespace {

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

// The words have been checked when the settings were read.
sink::PartitionerOptions partitioner_options(const config::Config& config) {
  static const std::map<std::string, sink::PartitionerKind, std::less<>> kKinds = {
      {"default", sink::PartitionerKind::kDefault},
      {"time", sink::PartitionerKind::kTimeBased},
      {"daily", sink::PartitionerKind::kDaily},
      {"hourly", sink::PartitionerKind::kHourly},
      {"field", sink::PartitionerKind::kField}};
  static const std::map<std::string, sink::TimestampExtractor, std::less<>> kExtractors = {
      {"record", sink::TimestampExtractor::kRecord},
      {"field", sink::TimestampExtractor::kRecordField},
      {"wallclock", sink::TimestampExtractor::kWallclock}};
  return {.kind = kKinds.at(config.sink.partitioner),
          .path_format = config.sink.path_format,
          .partition_duration = config.sink.partition_duration,
          .timezone = config.sink.timezone,
          .extractor = kExtractors.at(config.sink.timestamp_extractor),
          .timestamp_field = config.sink.timestamp_field,
          .fields = split(config.sink.partition_fields)};
}

Result<sink::SinkOptions> by_connector(Environment& environment, const sink::SinkOptions& base) {
  const std::filesystem::path& path = environment.config().sink.connector_properties;
  auto text = environment.disk->read_file(path);
  if (!text) return fail(std::move(text).error().with_context("sink.connector_properties"));
  auto read = sink::read_connector_properties(*text, base);
  if (!read) return fail(std::move(read).error().with_context(path.string()));
  Logger& logger = *environment.logger;
  for (const std::string& remark : read->remarks)
    logger.warning("a setting of the connector is not obeyed", {{"setting", remark}});
  const config::Config& config = environment.config();
  if (!read->bucket.empty() && !config.data.objects.starts_with("s3://" + read->bucket))
    logger.warning(
        "a setting of the connector is not obeyed",
        {{"setting", fmt::format("s3.bucket.name = {}: set data.objects = \"s3://{}\"", read->bucket, read->bucket)}});
  if (!read->region.empty() && config.s3.region != read->region)
    logger.warning("a setting of the connector is not obeyed",
                   {{"setting", fmt::format("s3.region = {}: set s3.region to it", read->region)}});
  if (!read->endpoint.empty() && config.s3.endpoint != read->endpoint)
    logger.warning("a setting of the connector is not obeyed",
                   {{"setting", fmt::format("store.url = {}: set s3.endpoint to it", read->endpoint)}});
  return std::move(read->options);
}

}  // namespace

Result<sink::SinkOptions> sink_options(Environment& environment, const records::Names& names) {
  const config::Config& config = environment.config();
  sink::SinkOptions options;
  options.parallel_puts = config.sink.parallel_puts;
  if (!config.sink.connector_properties.empty()) return by_connector(environment, options);
  options.topics = split(config.sink.topics);
  options.topics_regex = config.sink.topics_regex;
  if (options.topics.empty() && options.topics_regex.empty()) {
    for (const records::Kind kind : records::kKinds) options.topics.push_back(names.topic(kind));
  }
  options.flush_size = config.sink.flush_size;
  options.rotate_interval = config.sink.rotate_interval;
  options.rotate_record_interval = config.sink.rotate_record_interval;
  options.rotate_schedule_interval = config.sink.rotate_schedule_interval;
  options.names = {config.sink.topics_dir, config.sink.file_delimiter, config.sink.offset_pad};
  options.format = config.sink.format == "json" ? sink::Format::kJson : sink::Format::kParquet;
  static const std::map<std::string, sink::Compression, std::less<>> kCompressions = {
      {"none", sink::Compression::kNone},
      {"gzip", sink::Compression::kGzip},
      {"zstd", sink::Compression::kZstd},
      {"snappy", sink::Compression::kSnappy}};
  options.compression = kCompressions.at(config.sink.compression);
  options.partitioner = partitioner_options(config);
  if (auto good = sink::check(options); !good) return fail(std::move(good).error().with_context("settings of [sink]"));
  return options;
}

}  // namespace pinflow::app
