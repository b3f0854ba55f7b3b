#include <algorithm>

#include <fmt/format.h>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"

namespace pinflow::doors::kinesis {

namespace {
constexpr std::int64_t kOnDemandStreams = 50;
}

// Topics that only Kafka clients use do not count: they would leave no room for streams.
std::int32_t KinesisOperations::own_open_shards() {
  std::int32_t sum = 0;
  for (const StreamPtr& stream : book_.all())
    if (stream->is_own() && stream->status() != StreamStatus::kDeleting) sum += stream->open_shards();
  return sum;
}

std::optional<Fault> KinesisOperations::check_quota(const Call& call, std::int32_t more) {
  const std::int32_t open = own_open_shards();
  if (more <= options_.shard_limit - open) return std::nullopt;
  return limit_exceeded(fmt::format(
      "This request would exceed the shard limit for the account {} in {}. Current shard count for the account: {}. "
      "Limit: {}. Number of additional shards that would have resulted from this request: {}. Refer to the AWS Service "
      "Limits page (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how "
      "to "
      "request higher limits.",
      call.account, call.region, open, options_.shard_limit, more));
}

KinesisOperations::Outcome KinesisOperations::describe_limits(const Call& call) {
  const auto streams = book_.all();
  Writer out(call.encoding);
  out.begin_structure().member("ShardLimit").integer(options_.shard_limit);
  out.member("OpenShardCount").integer(own_open_shards());
  out.member("OnDemandStreamCount");
  out.integer(std::ranges::count_if(streams, [](const StreamPtr& stream) { return stream->state().on_demand; }));
  out.member("OnDemandStreamCountLimit").integer(kOnDemandStreams).end_structure();
  return Answer{std::move(out).take(), nullptr};
}

// A commitment about a bill that nobody writes here: it is told back until the next start.
KinesisOperations::Outcome KinesisOperations::describe_account_settings(const Call& call) {
  Writer out(call.encoding);
  out.begin_structure().member("MinimumThroughputBillingCommitment").begin_structure();
  out.member("Status").text(minimum_throughput_billing_ ? "ENABLED" : "DISABLED").end_structure().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::update_account_settings(const Call& call) {
  const Value& commitment = call.input["MinimumThroughputBillingCommitment"];
  if (!commitment.is_null()) minimum_throughput_billing_ = commitment.text_of("Status") == "ENABLED";
  return describe_account_settings(call);
}

}  // namespace pinflow::doors::kinesis
