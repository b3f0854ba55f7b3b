#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"
#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"
#include "doors/kinesis/sealed_text.h"
#include "doors/kinesis/shard_writing.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::int64_t kLeastHours = 24;
constexpr std::int64_t kMostHours = 8760;
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int32_t kOnDemandShards = 4;
constexpr std::size_t kMostCreating = 5;
constexpr std::size_t kListed = 100;

// Segments go as wholes, so they must be shorter than what is to go.
std::vector<std::pair<std::string, std::string>> retention_settings(std::int64_t hours) {
  return {{"retention.ms", std::to_string(hours * kHour)}, {"segment.ms", std::to_string(hours * kHour / 8)}};
}

// A record is stored in a batch, which counts against the topic's limit; its default leaves a record of 1 MiB no room for that.
std::pair<std::string, std::string> record_size_setting(std::int32_t kib) {
  return {"max.message.bytes", std::to_string(std::int64_t{kib} * 1024 + 4096)};
}

constexpr std::string_view kAllMetrics[] = {"IncomingBytes",
                                            "IncomingRecords",
                                            "IteratorAgeMilliseconds",
                                            "OutgoingBytes",
                                            "OutgoingRecords",
                                            "ReadProvisionedThroughputExceeded",
                                            "WriteProvisionedThroughputExceeded"};

void write_list(Writer& out, std::string_view name, const std::vector<std::string>& items) {
  out.member(name).begin_list();
  for (const std::string& item : items) out.text(item);
  out.end_list();
}

bool has(const std::vector<std::string>& items, std::string_view item) {
  return std::ranges::find(items, item) != items.end();
}

void write_mode(Writer& out, const Stream& stream) {
  out.member("StreamModeDetails").begin_structure().member("StreamMode");
  out.text(stream.state().on_demand ? "ON_DEMAND" : "PROVISIONED").end_structure();
}

}  // namespace

KinesisOperations::Outcome KinesisOperations::create_stream(const Call& call) {
  const Value& input = call.input;
  const std::string name = stream_of(call);
  const auto mode =
      input["StreamModeDetails"].is_null() ? std::nullopt : input["StreamModeDetails"].text_of("StreamMode");
  const bool on_demand = mode == "ON_DEMAND";
  const auto asked = input.integer_of("ShardCount");
  if (mode == "PROVISIONED" && !asked)
    return std::unexpected(validation("ShardCount must be specified when the stream mode is PROVISIONED."));
  if (on_demand && asked)
    return std::unexpected(validation("ShardCount must not be specified when the stream mode is ON_DEMAND."));
  if (const auto there = book_.find(name); there || there.error().code != ErrorCode::kNotFound)
    return std::unexpected(
        resource_in_use(fmt::format("Stream {} under account {} already exists.", name, call.account)));
  const auto shards = static_cast<std::int32_t>(asked.value_or(kOnDemandShards));
  if (auto refused = check_quota(call, shards)) return std::unexpected(std::move(*refused));
  if (options_.enforce_limits) {
    const auto streams = book_.all();
    const auto creating =
        std::ranges::count(streams, StreamStatus::kCreating, [](const StreamPtr& each) { return each->status(); });
    if (static_cast<std::size_t>(creating) >= kMostCreating)
      return std::unexpected(limit_exceeded(
          fmt::format("This request would exceed the limit of {} streams in state CREATING for the account {}.",
                      kMostCreating, call.account)));
  }
  StreamState state = fresh_state(shards, {});
  state.on_demand = on_demand || !asked;
  state.max_record_kib = static_cast<std::int32_t>(input.integer_of("MaxRecordSizeInKiB").value_or(1024));
  state.warm_mib = static_cast<std::int32_t>(input.integer_of("WarmThroughputMiBps").value_or(0));
  if (!input["Tags"].is_null())
    for (const auto& [key, value] : input["Tags"].map()) state.tags[key] = value.text();
  const bool at_once = !input[kAtOnce].is_null() || options_.change_delay <= std::chrono::milliseconds(0);
  if (!at_once) state.pending.kind = PendingChange::Kind::kCreate;
  auto settings = retention_settings(kLeastHours);
  settings.push_back(record_size_setting(state.max_record_kib));
  const auto created = book_.create(name, state, std::move(settings));
  if (!created) return std::unexpected(fault_of(created.error(), name, call.account));
  if (!at_once) schedule(name, options_.change_delay);
  return Answer{};
}

KinesisOperations::Outcome KinesisOperations::delete_stream(const Call& call) {
  const auto stream = find(call);
  if (!stream) return std::unexpected(stream.error());
  const Value& enforce = call.input["EnforceConsumerDeletion"];
  if (!(*stream)->state().consumers.empty() && (enforce.is_null() || !enforce.boolean()))
    return std::unexpected(
        resource_in_use(fmt::format("Stream {} under account {} has registered consumers. Deregister them, or set "
                                    "EnforceConsumerDeletion.",
                                    (*stream)->name(), call.account)));
  if ((*stream)->status() == StreamStatus::kDeleting) return Answer{};
  // What else is pending is of no more use.
  return promise(call, *stream, {.kind = PendingChange::Kind::kDelete});
}

void KinesisOperations::write_description(Writer& out, const Call& call, const Stream& stream) const {
  const StreamState& state = stream.state();
  out.member("RetentionPeriodHours").integer(stream.retention_hours());
  out.member("StreamName").text(stream.name()).member("StreamARN").text(arn(call, stream.name()));
  out.member("StreamStatus").text(to_string(stream.status()));
  write_mode(out, stream);
  out.member("StreamCreationTimestamp").time(stream.created());
  out.member("EnhancedMonitoring").begin_list().begin_structure();
  write_list(out, "ShardLevelMetrics", state.metrics);
  out.end_structure().end_list();
  out.member("EncryptionType").text(state.key_id.empty() ? "NONE" : "KMS");
  if (!state.key_id.empty()) out.member("KeyId").text(state.key_id);
}

KinesisOperations::Outcome KinesisOperations::describe_stream(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  std::int32_t from = 0;
  if (const auto after = call.input.text_of("ExclusiveStartShardId")) {
    const auto index = parse_shard_id(*after);
    if (!index) return std::unexpected(shard_not_found(*after, stream.name(), call.account));
    from = *index + 1;
  }
  const auto limit = std::min<std::int64_t>(call.input.integer_of("Limit").value_or(100), 100);
  Writer out(call.encoding);
  out.begin_structure().member("StreamDescription").begin_structure();
  write_description(out, call, stream);
  out.member("Shards").begin_list();
  const WallTime now = clock_.now();
  std::int64_t written = 0;
  bool more = false;
  const auto count = stream.has_shards() ? static_cast<std::int32_t>(stream.shards().size()) : 0;
  for (std::int32_t i = from; i < count && !more; ++i) {
    if (!stream.is_told(i, now)) continue;
    more = written == limit;
    if (!more) write_shard(out, stream, i, now);
    ++written;
  }
  out.end_list().member("HasMoreShards").boolean(more).end_structure().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::describe_stream_summary(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  Writer out(call.encoding);
  out.begin_structure().member("StreamDescriptionSummary").begin_structure();
  write_description(out, call, stream);
  out.member("StreamId").text(stream_id(stream.id()));
  out.member("OpenShardCount").integer(stream.has_shards() ? stream.open_shards() : 0);
  out.member("ConsumerCount").integer(static_cast<std::int64_t>(stream.state().consumers.size()));
  out.member("MaxRecordSizeInKiB").integer(stream.state().max_record_kib);
  out.member("WarmThroughput").begin_structure();
  out.member("TargetMiBps").integer(stream.state().warm_mib).member("CurrentMiBps").integer(stream.state().warm_mib);
  out.end_structure().end_structure().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::list_streams(const Call& call) {
  std::string after(call.input.text_of("ExclusiveStartStreamName").value_or(std::string_view()));
  if (const auto token = call.input.text_of("NextToken")) {
    auto name = base64_decode(*token);
    if (!name) return std::unexpected(invalid_argument("Invalid NextToken."));
    after = std::move(*name);
  }
  const auto limit = static_cast<std::size_t>(call.input.integer_of("Limit").value_or(kListed));
  auto streams = book_.all();
  std::erase_if(streams, [&](const StreamPtr& stream) {
    return stream->name() <= after || check_right(call, Needs::kMetadata, stream->name()).has_value();
  });
  const bool more = streams.size() > limit;
  if (more) streams.resize(limit);
  Writer out(call.encoding);
  out.begin_structure().member("StreamNames").begin_list();
  for (const auto& stream : streams) out.text(stream->name());
  out.end_list().member("HasMoreStreams").boolean(more);
  if (more) out.member("NextToken").text(base64_encode(streams.back()->name()));
  out.member("StreamSummaries").begin_list();
  for (const auto& stream : streams) {
    out.begin_structure().member("StreamName").text(stream->name());
    out.member("StreamARN").text(arn(call, stream->name())).member("StreamStatus").text(to_string(stream->status()));
    write_mode(out, *stream);
    out.member("StreamCreationTimestamp").time(stream->created()).end_structure();
  }
  out.end_list().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::change_retention(const Call& call) {
  const auto stream = find(call);
  if (!stream) return std::unexpected(stream.error());
  const auto hours = call.input.integer_of("RetentionPeriodHours").value_or(0);
  const auto refuse = [](std::string text) { return std::unexpected(invalid_argument(std::move(text))); };
  if (hours < kLeastHours)
    return refuse(
        fmt::format("Minimum allowed retention period is {} hours. Requested retention period ({} hours) is "
                    "too short.",
                    kLeastHours, hours));
  if (hours > kMostHours)
    return refuse(
        fmt::format("Maximum allowed retention period is {} hours. Requested retention period ({} hours) is "
                    "too long.",
                    kMostHours, hours));
  const std::int64_t now = (*stream)->retention_hours();
  const bool up = call.operation == "IncreaseStreamRetentionPeriod";
  if (up ? hours < now : hours > now)
    return refuse(
        fmt::format("Requested retention period ({} hours) for stream {} can not be {} than existing "
                    "retention period ({} hours). Use {}RetentionPeriod API.",
                    hours, (*stream)->name(), up ? "shorter" : "longer", now, up ? "Decrease" : "Increase"));
  return changed(call, *stream, [](StreamState&) {}, retention_settings(hours));
}

KinesisOperations::Outcome KinesisOperations::update_stream_mode(const Call& call) {
  const auto stream = find_active(call);
  if (!stream) return std::unexpected(stream.error());
  const bool on_demand = call.input["StreamModeDetails"].text_of("StreamMode") == "ON_DEMAND";
  return changed(call, *stream, [&](StreamState& state) { state.on_demand = on_demand; });
}

KinesisOperations::Outcome KinesisOperations::update_max_record_size(const Call& call) {
  const auto stream = find_active(call);
  if (!stream) return std::unexpected(stream.error());
  const auto kib = static_cast<std::int32_t>(call.input.integer_of("MaxRecordSizeInKiB").value_or(1024));
  return changed(call, *stream, [&](StreamState& state) { state.max_record_kib = kib; }, {record_size_setting(kib)});
}

KinesisOperations::Outcome KinesisOperations::update_warm_throughput(const Call& call) {
  const auto stream = find_active(call);
  if (!stream) return std::unexpected(stream.error());
  const auto mib = static_cast<std::int32_t>(call.input.integer_of("WarmThroughputMiBps").value_or(0));
  if (!(*stream)->state().on_demand)
    return std::unexpected(validation(fmt::format(
        "Request is invalid. Stream {} under account {} is not in On-Demand mode.", (*stream)->name(), call.account)));
  auto answer = changed(call, *stream, [&](StreamState& state) { state.warm_mib = mib; });
  if (!answer) return answer;
  Writer out(call.encoding);
  out.begin_structure().member("StreamARN").text(arn(call, (*stream)->name()));
  out.member("StreamName").text((*stream)->name()).member("WarmThroughput").begin_structure();
  out.member("TargetMiBps").integer(mib).member("CurrentMiBps").integer(mib).end_structure().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

// Nothing is encrypted by it: clients see what they asked for.
KinesisOperations::Outcome KinesisOperations::change_encryption(const Call& call) {
  const auto stream = find_active(call);
  if (!stream) return std::unexpected(stream.error());
  const bool start = call.operation == "StartStreamEncryption";
  const std::string key(start ? call.input.text_of("KeyId").value_or("alias/aws/kinesis") : std::string_view());
  return changed(call, *stream, [&](StreamState& state) { state.key_id = key; });
}

KinesisOperations::Outcome KinesisOperations::change_monitoring(const Call& call) {
  const auto stream = find_active(call);
  if (!stream) return std::unexpected(stream.error());
  std::vector<std::string> named;
  for (const Value& metric : call.input["ShardLevelMetrics"].list()) named.push_back(metric.text());
  if (has(named, "ALL")) named.assign(std::begin(kAllMetrics), std::end(kAllMetrics));
  const std::vector<std::string>& before = (*stream)->state().metrics;
  std::vector<std::string> after;
  for (const auto metric : kAllMetrics) {
    const bool was = has(before, metric);
    const bool meant = has(named, metric);
    if (call.operation == "EnableEnhancedMonitoring" ? was || meant : was && !meant) after.emplace_back(metric);
  }
  auto answer = changed(call, *stream, [&](StreamState& state) { state.metrics = after; });
  if (!answer) return answer;
  Writer out(call.encoding);
  out.begin_structure().member("StreamName").text((*stream)->name());
  write_list(out, "CurrentShardLevelMetrics", before);
  write_list(out, "DesiredShardLevelMetrics", after);
  out.member("StreamARN").text(arn(call, (*stream)->name())).end_structure();
  return Answer{std::move(out).take(), nullptr};
}

}  // namespace pinflow::doors::kinesis
