#include "doors/kinesis/operations.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/check.h"
#include "doors/kinesis/faults.h"
#include "doors/kinesis/resharding.h"

namespace pinflow::doors::kinesis {

namespace {

using access::Right;

constexpr std::chrono::seconds kTryAgain{1};

std::string_view text_or(const Value& input, std::string_view member) {
  return input.text_of(member).value_or(std::string_view());
}

// "arn:aws:kinesis:us-east-1:000000000000:stream/name" or ".../name/consumer/other:1700000000": name.
std::string_view stream_in_arn(std::string_view arn) {
  constexpr std::string_view kMark = ":stream/";
  const auto at = arn.find(kMark);
  if (at == std::string_view::npos) return {};
  arn.remove_prefix(at + kMark.size());
  return arn.substr(0, arn.find('/'));
}

}  // namespace

// In order of name. ListShards has its limit for each stream, GetShardIterator for each shard (see check_rate).
std::span<const KinesisOperations::Operation> KinesisOperations::table() {
  using K = KinesisOperations;
  using enum Needs;
  using enum Place;
  static constexpr std::array kTable{
      Operation{"AddTagsToStream", kAdmin, 5, kControl, &K::add_tags},
      Operation{"CreateStream", kAdmin, 5, kControl, &K::create_stream},
      Operation{"DecreaseStreamRetentionPeriod", kAdmin, 5, kControl, &K::change_retention},
      Operation{"DeleteResourcePolicy", kAdmin, 5, kControl, &K::delete_policy},
      Operation{"DeleteStream", kAdmin, 5, kControl, &K::delete_stream},
      Operation{"DeregisterStreamConsumer", kConsume, 5, kControl, &K::deregister_consumer},
      Operation{"DescribeAccountSettings", kMetadata, 5, kLoop, &K::describe_account_settings},
      Operation{"DescribeLimits", kMetadata, 1, kLoop, &K::describe_limits},
      Operation{"DescribeStream", kMetadata, 10, kLoop, &K::describe_stream},
      Operation{"DescribeStreamConsumer", kMetadata, 20, kLoop, &K::describe_consumer},
      Operation{"DescribeStreamSummary", kMetadata, 20, kLoop, &K::describe_stream_summary},
      Operation{"DisableEnhancedMonitoring", kAdmin, 5, kControl, &K::change_monitoring},
      Operation{"EnableEnhancedMonitoring", kAdmin, 5, kControl, &K::change_monitoring},
      Operation{"GetRecords", kNothing, 0, kRead, &K::get_records},
      Operation{"GetResourcePolicy", kMetadata, 5, kLoop, &K::get_policy},
      Operation{"GetShardIterator", kConsume, 5, kLoop, nullptr, &K::get_shard_iterator},
      Operation{"IncreaseStreamRetentionPeriod", kAdmin, 5, kControl, &K::change_retention},
      Operation{"ListShards", kMetadata, 1000, kLoop, &K::list_shards},
      Operation{"ListStreamConsumers", kMetadata, 5, kLoop, &K::list_consumers},
      Operation{"ListStreams", kNothing, 5, kLoop, &K::list_streams},
      Operation{"ListTagsForResource", kMetadata, 5, kLoop, &K::list_tags_of_resource},
      Operation{"ListTagsForStream", kMetadata, 5, kLoop, &K::list_tags},
      Operation{"MergeShards", kAdmin, 5, kControl, &K::merge_shards_of},
      Operation{"PutRecord", kProduce, 0, kLoop, nullptr, &K::put_record},
      Operation{"PutRecords", kProduce, 0, kLoop, nullptr, &K::put_records},
      Operation{"PutResourcePolicy", kAdmin, 5, kControl, &K::put_policy},
      Operation{"RegisterStreamConsumer", kConsume, 5, kControl, &K::register_consumer},
      Operation{"RemoveTagsFromStream", kAdmin, 5, kControl, &K::remove_tags},
      Operation{"SplitShard", kAdmin, 5, kControl, &K::split_shard_of},
      Operation{"StartStreamEncryption", kAdmin, 5, kControl, &K::change_encryption},
      Operation{"StopStreamEncryption", kAdmin, 5, kControl, &K::change_encryption},
      Operation{"SubscribeToShard", kConsume, 0, kRead, &K::subscribe},
      Operation{"TagResource", kAdmin, 5, kControl, &K::tag_resource},
      Operation{"UntagResource", kAdmin, 5, kControl, &K::untag_resource},
      Operation{"UpdateAccountSettings", kAdmin, 5, kControl, &K::update_account_settings},
      Operation{"UpdateMaxRecordSize", kAdmin, 5, kControl, &K::update_max_record_size},
      Operation{"UpdateShardCount", kAdmin, 10, kControl, &K::update_shard_count},
      Operation{"UpdateStreamMode", kAdmin, 5, kControl, &K::update_stream_mode},
      Operation{"UpdateStreamWarmThroughput", kAdmin, 5, kControl, &K::update_warm_throughput},
  };
  static_assert(kTable.size() == 39 && std::ranges::is_sorted(kTable, {}, &Operation::name));
  return kTable;
}

KinesisOperations::KinesisOperations(log::Log& log, const Clock& clock, Random random, KinesisOptions options)
    : log_(log),
      clock_(clock),
      options_(options),
      book_(log),
      throttle_(clock),
      nonce_(random()),
      alarms_(clock),
      subscriptions_(std::make_shared<Subscriptions>(
          Subscriptions::Parts{log, clock, book_, readers_, alarms_, options.subscriptions})),
      control_(1, options.waiting_calls),
      readers_(std::max<std::size_t>(options.read_threads, 1), options.waiting_calls) {
  for (const StreamPtr& stream : book_.all())
    if (stream->state().pending.kind != PendingChange::Kind::kNone) schedule(stream->name(), options_.change_delay);
}

KinesisOperations::~KinesisOperations() {
  subscriptions_->close();
  alarms_.stop();
}

void KinesisOperations::run(Call call, AnswerDone done) {
  if (auto refused = refusal(call)) return done(std::unexpected(std::move(*refused)));
  const Operation* const found = entry_of(call.operation);
  const std::string stream = stream_of(call);
  if (const Value& dry = call.input["DryRun"]; !dry.is_null() && dry.boolean())
    return done(std::unexpected(
        Fault{"DryRunOperationException", "Request would have succeeded, but the DryRun flag is set.", 400}));
  if (options_.enforce_limits)
    if (auto refused = check_rate(call, *found, stream)) return done(std::unexpected(std::move(*refused)));
  if (found->start != nullptr) return (this->*found->start)(std::move(call), std::move(done));
  if (found->place == Place::kLoop) return done((this->*found->answer)(call));
  // Where the pool takes no more, the job is still here, and the answer with it.
  struct Waiting {
    Call call;
    AnswerDone done;
  };
  auto waiting = std::make_unique<Waiting>(std::move(call), std::move(done));
  Waiting* const held = waiting.get();
  JobPool::Job job = [this, waiting = std::move(waiting), answer = found->answer](const std::stop_token&) {
    waiting->done((this->*answer)(waiting->call));
  };
  JobPool& pool = found->place == Place::kControl ? control_ : readers_;
  if (!pool.try_submit(job)) held->done(std::unexpected(busy()));
}

const KinesisOperations::Operation* KinesisOperations::entry_of(std::string_view name) {
  const auto operations = table();
  const auto found = std::ranges::lower_bound(operations, name, {}, &Operation::name);
  return found == operations.end() || found->name != name ? nullptr : &*found;
}

std::optional<Fault> KinesisOperations::refusal(const Call& call) {
  const Operation* const found = entry_of(call.operation);
  if (found == nullptr) return Fault{"UnknownOperationException", "", 400};
  return check_right(call, found->needs, stream_of(call));
}

std::string KinesisOperations::stream_of(const Call& call) {
  const Value& input = call.input;
  if (const auto name = input.text_of("StreamName")) return std::string(*name);
  for (const auto* const member : {"StreamARN", "ConsumerARN", "ResourceARN"})
    if (const auto arn = input.text_of(member)) return std::string(stream_in_arn(*arn));
  return {};
}

std::string KinesisOperations::arn(const Call& call, std::string_view stream) {
  return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", call.region, call.account, stream);
}

std::optional<Fault> KinesisOperations::check_right(const Call& call, Needs needs, const std::string& stream) {
  const auto may = [&](Right right) { return access::may(call.caller, right, stream); };
  bool good = true;
  switch (needs) {
    case Needs::kNothing:
      break;
    case Needs::kProduce:
      good = may(Right::kProduce);
      break;
    case Needs::kConsume:
      good = may(Right::kConsume);
      break;
    case Needs::kAdmin:
      good = may(Right::kAdmin);
      break;
    case Needs::kMetadata:  // Whoever puts or gets records has to know the shards.
      good = may(Right::kQuery) || may(Right::kConsume) || may(Right::kProduce);
      break;
  }
  if (good) return std::nullopt;
  return access_denied(call, stream.empty() ? "*" : arn(call, stream));
}

std::optional<Fault> KinesisOperations::check_rate(const Call& call, const Operation& operation,
                                                   const std::string& stream) {
  if (operation.per_second == 0) return std::nullopt;
  if (operation.name == "GetShardIterator") {
    const auto shard = parse_shard_id(text_or(call.input, "ShardId")).value_or(0);
    if (throttle_.call(fmt::format("GetShardIterator/{}/{}", stream, shard), operation.per_second)) return std::nullopt;
    return rate_exceeded(shard, stream, call.account);
  }
  const bool each_stream = operation.name == "ListShards" || operation.name == "ListStreamConsumers";
  const std::string key = each_stream ? fmt::format("{}/{}", operation.name, stream) : std::string(operation.name);
  if (throttle_.call(key, operation.per_second)) return std::nullopt;
  if (stream.empty()) return limit_exceeded(fmt::format("Rate exceeded for account {}.", call.account));
  return limit_exceeded(fmt::format("Rate exceeded for stream {} under account {}.", stream, call.account));
}

KinesisOperations::StreamOutcome KinesisOperations::find(const Call& call) {
  const std::string name = stream_of(call);
  if (name.empty())
    return std::unexpected(invalid_argument("Either StreamName or StreamARN must be specified, and name a stream."));
  auto stream = book_.find(name);
  if (stream) return std::move(*stream);
  return std::unexpected(fault_of(stream.error(), name, call.account));
}

KinesisOperations::StreamOutcome KinesisOperations::find_active(const Call& call) {
  auto stream = find(call);
  if (stream && (*stream)->status() != StreamStatus::kActive)
    return std::unexpected(stream_not_active(**stream, call.account));
  return stream;
}

KinesisOperations::Outcome KinesisOperations::changed(
    const Call& call, const StreamPtr& stream, const StreamBook::Change& change,
    const std::vector<std::pair<std::string, std::string>>& settings) {
  const auto written = book_.change(stream, change, settings);
  if (!written) return std::unexpected(fault_of(written.error(), stream->name(), call.account));
  return Answer{};
}

KinesisOperations::Outcome KinesisOperations::promise(const Call& call, const StreamPtr& stream, PendingChange pending,
                                                      const StreamBook::Change& besides) {
  auto answer = changed(call, stream, [&](StreamState& state) {
    state.pending = pending;
    besides(state);
  });
  if (!answer) return answer;
  const bool at_once = !call.input[kAtOnce].is_null() || options_.change_delay <= std::chrono::milliseconds(0);
  if (!at_once) {
    schedule(stream->name(), options_.change_delay);
    return answer;
  }
  if (const auto made = make_pending(stream->name()); !made) {
    schedule(stream->name(), kTryAgain);
    return std::unexpected(fault_of(made.error(), stream->name(), call.account));
  }
  return answer;
}

// Each stream has one pending change at most, so the jobs are bounded by the streams.
void KinesisOperations::schedule(const std::string& stream, std::chrono::milliseconds delay) {
  alarms_.at(clock_.steady_now() + delay, [this, stream] {
    control_.submit([this, stream](const std::stop_token&) {
      if (!make_pending(stream)) schedule(stream, kTryAgain);
    });
  });
}

// On the control thread. A stream that is gone, or has nothing pending, is no error.
Result<void> KinesisOperations::make_pending(const std::string& name) {
  const auto stream = book_.find(name);
  if (!stream && stream.error().code == ErrorCode::kNotFound) return {};
  TRY(stream);
  const auto make = [&](StreamState& state) { make_pending_change(state, clock_.now()); };
  switch ((*stream)->state().pending.kind) {
    case PendingChange::Kind::kNone:
      return {};
    case PendingChange::Kind::kCreate:
      TRY(book_.change(*stream, make));
      return {};
    case PendingChange::Kind::kDelete:
      return book_.remove(name);
    case PendingChange::Kind::kSplit:
    case PendingChange::Kind::kMerge:
    case PendingChange::Kind::kScale:
      TRY(book_.reshape(*stream, make));
      subscriptions_->wake((*stream)->id());
      return {};
  }
  return {};
}

}  // namespace pinflow::doors::kinesis
