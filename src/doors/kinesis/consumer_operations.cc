#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"
#include "doors/kinesis/consumer_name.h"
#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"
#include "doors/kinesis/position.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::size_t kMostConsumers = 20;
constexpr std::size_t kListed = 100;

Fault consumer_not_found(std::string_view name, std::string_view stream, std::string_view account) {
  return {"ResourceNotFoundException",
          fmt::format("Consumer {} of stream {} under account {} not found.", name, stream, account), 400};
}

// Writes the members of a consumer into an open structure. It is ready as soon as it is stored; clients expect to see it being made.
void write_consumer(Writer& out, const Consumer& consumer, std::string_view stream_arn, bool is_new) {
  out.member("ConsumerName").text(consumer.name).member("ConsumerARN").text(consumer_arn(stream_arn, consumer));
  out.member("ConsumerStatus").text(is_new ? "CREATING" : "ACTIVE");
  out.member("ConsumerCreationTimestamp").time(consumer.created);
}

// The consumer that ConsumerARN, or StreamARN and ConsumerName, name.
std::expected<const Consumer*, Fault> consumer_in_call(const Call& call, const Stream& stream) {
  if (const auto arn = call.input.text_of("ConsumerARN")) {
    const auto name = parse_consumer_arn(*arn);
    const Consumer* const found = name ? find_consumer(stream.state(), *name) : nullptr;
    if (found == nullptr) return std::unexpected(consumer_not_found(*arn, stream.name(), call.account));
    return found;
  }
  const auto name = call.input.text_of("ConsumerName");
  if (!name)
    return std::unexpected(invalid_argument("Either ConsumerARN, or StreamARN and ConsumerName, must be specified."));
  const Consumer* const found = find_consumer(stream.state(), *name);
  if (found == nullptr) return std::unexpected(consumer_not_found(*name, stream.name(), call.account));
  return found;
}

}  // namespace

KinesisOperations::Outcome KinesisOperations::register_consumer(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  if (!stream.has_shards()) return std::unexpected(stream_not_active(stream, call.account));
  const std::string name(call.input.text_of("ConsumerName").value_or(std::string_view()));
  if (find_consumer(stream.state(), name) != nullptr)
    return std::unexpected(resource_in_use(
        fmt::format("Consumer {} of stream {} under account {} already exists.", name, stream.name(), call.account)));
  if (stream.state().consumers.size() >= kMostConsumers)
    return std::unexpected(
        limit_exceeded(fmt::format("Stream {} under account {} has {} consumers, which is the limit.", stream.name(),
                                   call.account, kMostConsumers)));
  Consumer consumer{.name = name, .created = clock_.now()};
  if (const Value& tags = call.input["Tags"]; !tags.is_null())
    for (const auto& [key, value] : tags.map()) consumer.tags[key] = value.text();
  auto answer = changed(call, *found, [&](StreamState& state) { state.consumers.push_back(consumer); });
  if (!answer) return answer;
  Writer out(call.encoding);
  out.begin_structure().member("Consumer").begin_structure();
  write_consumer(out, consumer, arn(call, stream.name()), true);
  out.end_structure().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::deregister_consumer(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_in_call(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  subscriptions_->end_consumer((*found)->id(), (*consumer)->name);
  return changed(call, *found, [&](StreamState& state) {
    std::erase_if(state.consumers, [&](const Consumer& each) { return each.name == (*consumer)->name; });
  });
}

KinesisOperations::Outcome KinesisOperations::describe_consumer(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const auto consumer = consumer_in_call(call, **found);
  if (!consumer) return std::unexpected(consumer.error());
  const std::string stream_arn = arn(call, (*found)->name());
  Writer out(call.encoding);
  out.begin_structure().member("ConsumerDescription").begin_structure();
  write_consumer(out, **consumer, stream_arn, clock_.now() - (*consumer)->created < options_.change_delay);
  out.member("StreamARN").text(stream_arn).end_structure().end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::list_consumers(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  std::string after;
  if (const auto token = call.input.text_of("NextToken")) {
    auto name = base64_decode(*token);
    if (!name) return std::unexpected(invalid_argument("Invalid NextToken."));
    after = std::move(*name);
  }
  auto consumers = (*found)->state().consumers;
  std::erase_if(consumers, [&](const Consumer& consumer) { return consumer.name <= after; });
  std::ranges::sort(consumers, {}, &Consumer::name);
  const auto limit = static_cast<std::size_t>(call.input.integer_of("MaxResults").value_or(kListed));
  const bool more = consumers.size() > limit;
  if (more) consumers.erase(consumers.begin() + static_cast<std::ptrdiff_t>(limit), consumers.end());
  Writer out(call.encoding);
  out.begin_structure().member("Consumers").begin_list();
  for (const Consumer& consumer : consumers) {
    out.begin_structure();
    write_consumer(out, consumer, arn(call, (*found)->name()), clock_.now() - consumer.created < options_.change_delay);
    out.end_structure();
  }
  out.end_list();
  if (more) out.member("NextToken").text(base64_encode(consumers.back().name));
  out.end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::subscribe(const Call& call) {
  const auto found = find(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  const auto consumer = consumer_in_call(call, stream);
  if (!consumer) return std::unexpected(consumer.error());
  if (!stream.has_shards()) return std::unexpected(stream_not_active(stream, call.account));
  const auto raw = call.input.text_of("ShardId").value_or(std::string_view());
  const auto shard = parse_shard_id(raw);
  if (!shard) return std::unexpected(shard_not_found(raw, stream.name(), call.account));
  const WallTime now = clock_.now();
  if (stream.find_shard(*shard, now) == nullptr)
    return std::unexpected(shard_does_not_exist(*shard, stream.name(), call.account));
  const Value& from = call.input["StartingPosition"];
  WantedPosition wanted{.type = from.text_of("Type").value_or(std::string_view()),
                        .number = from.text_of("SequenceNumber"),
                        .operation = "SubscribeToShard"};
  if (const Value& time = from["Timestamp"]; !time.is_null()) wanted.time = time.time();
  const auto offset = find_position(log_, stream, *shard, wanted, call.account, now);
  if (!offset) return std::unexpected(offset.error());
  auto events = subscriptions_->begin({*found, (*consumer)->name, {*shard, *offset}, call.account});
  if (!events) return std::unexpected(std::move(events).error());
  return Answer{{}, std::move(*events)};
}

}  // namespace pinflow::doors::kinesis
