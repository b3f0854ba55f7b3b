#include <fmt/format.h>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"
#include "doors/kinesis/position.h"
#include "doors/kinesis/sealed_text.h"
#include "doors/kinesis/shard_reading.h"

namespace pinflow::doors::kinesis {

namespace {
constexpr std::chrono::milliseconds kIteratorLife{300'000};
constexpr std::int64_t kMostRecords = 10'000;
constexpr std::size_t kMostBytes = 10 << 20;
}  // namespace

// Only a time is looked for on the disk.
void KinesisOperations::get_shard_iterator(Call call, AnswerDone done) {
  if (call.input.text_of("ShardIteratorType") != "AT_TIMESTAMP") return done(make_shard_iterator(call));
  struct Waiting {
    Call call;
    AnswerDone done;
  };
  auto waiting = std::make_unique<Waiting>(std::move(call), std::move(done));
  Waiting* const held = waiting.get();
  JobPool::Job job = [this, waiting = std::move(waiting)](const std::stop_token&) {
    waiting->done(make_shard_iterator(waiting->call));
  };
  if (!readers_.try_submit(job)) held->done(std::unexpected(busy()));
}

KinesisOperations::Outcome KinesisOperations::make_shard_iterator(const Call& call) {
  const Value& input = call.input;
  const std::string name = stream_of(call);
  const auto raw = input.text_of("ShardId").value_or(std::string_view());
  const auto shard = parse_shard_id(raw);
  if (!shard) return std::unexpected(shard_not_found(raw, name, call.account));
  const auto found = book_.find(name);
  const WallTime now = clock_.now();
  if (!found && found.error().code != ErrorCode::kNotFound)
    return std::unexpected(fault_of(found.error(), name, call.account));
  if (!found || !(*found)->has_shards() || (*found)->find_shard(*shard, now) == nullptr)
    return std::unexpected(shard_does_not_exist(*shard, name, call.account));
  WantedPosition wanted{.type = input.text_of("ShardIteratorType").value_or(std::string_view()),
                        .number = input.text_of("StartingSequenceNumber")};
  if (const Value& time = input["Timestamp"]; !time.is_null()) wanted.time = time.time();
  const auto offset = find_position(log_, **found, *shard, wanted, call.account, now);
  if (!offset) return std::unexpected(offset.error());
  Writer out(call.encoding);
  out.begin_structure().member("ShardIterator");
  out.text(SealedPosition{name, *shard, offset->value(), now, next_nonce()}.seal((*found)->id())).end_structure();
  return Answer{std::move(out).take(), nullptr};
}

KinesisOperations::Outcome KinesisOperations::get_records(const Call& call) {
  const auto refuse = [](Fault fault) { return std::unexpected(std::move(fault)); };
  const auto sealed = SealedText::read(call.input.text_of("ShardIterator").value_or(std::string_view()));
  if (!sealed || sealed->position().kind != 0) return refuse(invalid_argument("Invalid ShardIterator."));
  const SealedPosition& at = sealed->position();
  if (auto refused = check_right(call, Needs::kConsume, at.stream)) return refuse(std::move(*refused));
  const WallTime now = clock_.now();
  if (now - at.issued > kIteratorLife)
    return refuse(
        {"ExpiredIteratorException",
         fmt::format("Iterator expired. The iterator was created at time {} while right now it is {} which is "
                     "further in the future than the tolerated delay of {} milliseconds.",
                     utc_text(at.issued), utc_text(now), kIteratorLife.count()),
         400});
  const auto found = book_.find(at.stream);
  if (!found && found.error().code != ErrorCode::kNotFound)
    return refuse(fault_of(found.error(), at.stream, call.account));
  if (!found || !sealed->is_of((*found)->id())) return refuse(shard_does_not_exist(at.shard, at.stream, call.account));
  const Stream& stream = **found;
  if (!sealed->is_sealed_by(stream.id())) return refuse(invalid_argument("Invalid ShardIterator."));
  if (!stream.has_shards() || stream.find_shard(at.shard, now) == nullptr)
    return refuse(shard_does_not_exist(at.shard, at.stream, call.account));
  const Throttle::ShardKey key{stream.id(), at.shard};
  if (options_.enforce_limits && !throttle_.begin_read(key))
    return refuse(rate_exceeded(at.shard, at.stream, call.account));
  const auto limit = static_cast<std::size_t>(call.input.integer_of("Limit").value_or(kMostRecords));
  const auto read =
      read_shard(log_, book_, *found, {at.shard, log::Offset(at.offset)}, {limit, kMostBytes}, call.account, now);
  if (!read) return refuse(read.error());
  if (options_.enforce_limits) throttle_.end_read(key, read->bytes);
  Writer out(call.encoding);
  out.reserve(read->bytes * 3 / 2 + read->records.size() * 200 + 600);
  out.begin_structure();
  write_records(out, stream, *read);
  if (!read->at_end)
    out.member("NextShardIterator")
        .text(SealedPosition{at.stream, at.shard, read->next.value(), now, next_nonce()}.seal(stream.id()));
  out.member("MillisBehindLatest").integer(read->behind.count());
  write_shard_end(out, stream, *read);
  out.end_structure();
  return Answer{std::move(out).take(), nullptr};
}

}  // namespace pinflow::doors::kinesis
