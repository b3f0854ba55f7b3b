#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/pipeline_log.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow::app {

namespace {

struct TapOptions {
  std::string topic;
  std::int64_t limit = 10;
  bool last = false;
  std::int64_t from = 0;
  std::int32_t partition = -1;
  std::string format = "text";
};

bool is_printable(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\t'; });
}

void print_text(const std::string& topic, log::PartitionId partition, const log::StoredRecord& record) {
  std::string value = "(no value)";
  if (record.value) {
    // Control bytes would act on the terminal instead of showing.
    value = is_printable(*record.value) ? *record.value : "base64:" + base64_encode(*record.value);
  }
  fmt::print("{}+{}+{}  {}  {}{}\n", topic, partition, record.offset, format_seconds(record.timestamp),
             record.key ? *record.key + "  " : "", value);
}

void print_json(const std::string& topic, log::PartitionId partition, const log::StoredRecord& record) {
  JsonWriter json;
  json.begin_object().key("topic").string(topic).key("partition").integer(partition.value());
  json.key("offset").integer(record.offset.value()).key("timestamp").string(format_iso8601(record.timestamp));
  json.key("key");
  record.key ? json.string(*record.key) : json.null();
  json.key("value");
  record.value ? json.string(*record.value) : json.null();
  json.end_object();
  fmt::print("{}\n", std::move(json).take());
}

// The position where a partition's output begins, and how many of its records are wanted.
Result<log::Offset> first_offset(log::Log& log, const log::TopicPartition& partition, const TapOptions& options) {
  TRY_ASSIGN(const log::OffsetRange range, log.offsets(partition));
  if (options.last) return std::max(range.begin, range.end + -options.limit);
  return std::max(range.begin, log::Offset(options.from));
}

Result<void> tap_partition(log::Log& log, const log::TopicPartition& partition, const TapOptions& options) {
  TRY_ASSIGN(log::Offset at, first_offset(log, partition, options));
  std::int64_t left = options.limit;
  while (left > 0) {
    log::FetchRequest request;
    request.positions = {{partition, at}};
    request.max_records = static_cast<std::size_t>(left);
    TRY_ASSIGN(const auto fetched, log.fetch(request, {}));
    if (fetched.empty()) return {};
    if (fetched.front().error) return fail(*fetched.front().error);
    if (fetched.front().records.empty()) return {};
    for (const log::StoredRecord& record : fetched.front().records) {
      (options.format == "json" ? print_json : print_text)(partition.topic, partition.partition, record);
      at = record.offset + 1;
      --left;
    }
  }
  return {};
}

Result<ExitCode> tap(Environment& environment, const TapOptions& options) {
  TRY_ASSIGN(const PipelineLog opened, open_log_to_read(environment));
  log::Log& log = opened.log();
  const auto topic = log.topic(options.topic);
  if (!topic) {
    std::string names;
    for (const log::Topic& one : log.topics()) names += (names.empty() ? "" : ", ") + one.name;
    return fail(ErrorCode::kNotFound, fmt::format("there is no topic '{}' in {}. Topics: {}.", options.topic,
                                                  log_place(environment), names.empty() ? "none" : names));
  }
  for (std::int32_t partition = 0; partition < topic->partitions; ++partition) {
    if (options.partition >= 0 && options.partition != partition) continue;
    TRY(tap_partition(log, {options.topic, log::PartitionId(partition)}, options));
  }
  return kOk;
}

}  // namespace

void add_tap(CLI::App& root, Action& selected) {
  auto options = std::make_shared<TapOptions>();  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand("tap", "Shows the records of a topic or stream, also while pinflow runs");
  command->add_option("topic", options->topic, "Topic or stream")->required();
  command->add_option("-n,--limit", options->limit, "Records shown of each partition")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--last", options->last, "The last records instead of the first");
  command->add_option("--from", options->from, "First offset")->check(CLI::NonNegativeNumber)->excludes("--last");
  command->add_option("--partition", options->partition, "One partition only")->check(CLI::NonNegativeNumber);
  command->add_option("--format", options->format, "text or json (one object a line)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  pinflow tap pinterest.pin\n"
      "  pinflow tap streaming-pinterest-geo --last -n 3\n"
      "  pinflow tap pinterest.user --from 100 --format json | jq .value");
  command->callback(
      [&selected, options] { selected = [options](Environment& environment) { return tap(environment, *options); }; });
}

}  // namespace pinflow::app
