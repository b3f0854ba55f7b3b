#include "doors/kinesis/position.h"

#include <fmt/format.h>

#include "doors/kinesis/faults.h"

namespace pinflow::doors::kinesis {

namespace {

using Found = std::expected<log::Offset, Fault>;

Found refuse(Fault fault) {
  return std::unexpected(std::move(fault));
}

Found refuse_combination(const WantedPosition& wanted, std::string_view end) {
  return refuse(invalid_argument(
      fmt::format("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
                  "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {} and {}.",
                  wanted.type, end)));
}

// A number counts from one, its record's offset from zero; counter 0 is the shard's beginning.
Found from_number(const Stream& stream, std::int32_t shard, const WantedPosition& wanted, std::string_view account) {
  const auto unusable = [&](std::string_view why) {
    return refuse(
        invalid_argument(fmt::format("StartingSequenceNumber {} used in {} on shard {} in stream {} under "
                                     "account {} is invalid{}.",
                                     *wanted.number, wanted.operation, shard_id(shard), stream.name(), account, why)));
  };
  const auto number = parse_sequence_number(*wanted.number);
  if (!number) return unusable("");
  if (number->shard != shard)
    return refuse(
        invalid_argument(fmt::format("Invalid StartingSequenceNumber. It encodes {}, while it was used in a "
                                     "call to a shard with {}",
                                     shard_id(number->shard), shard_id(shard))));
  if (number->version != 2 || number->created != stream.shards()[static_cast<std::size_t>(shard)].created) {
    if (number->version == 0) return refuse(internal_failure());
    return unusable(" because it did not come from this stream");
  }
  const bool after = wanted.type == "AFTER_SEQUENCE_NUMBER";
  if (number->counter == 0) return log::Offset(0);
  return log::Offset(after && number->counter != kClosedCounter ? number->counter : number->counter - 1);
}

Found from_time(log::Log& log, const Stream& stream, std::int32_t shard, const WantedPosition& wanted, WallTime now,
                log::Offset end, std::string_view account) {
  if (!wanted.time)
    return refuse(
        invalid_argument("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current "
                         "request has no timestamp parameter."));
  if (*wanted.time > now)
    return refuse(invalid_argument(
        fmt::format("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                    "timestampInMillis: {}, currentTimestampInMillis: {}",
                    wanted.time->time_since_epoch().count(), now.time_since_epoch().count())));
  const auto found = log.find_time(stream.partition(shard), *wanted.time);
  if (!found) return refuse(fault_of(found.error(), stream.name(), account));
  return *found ? (*found)->offset : end;
}

}  // namespace

std::expected<log::Offset, Fault> find_position(log::Log& log, const Stream& stream, std::int32_t shard,
                                                const WantedPosition& wanted, std::string_view account, WallTime now) {
  const bool by_number = wanted.type == "AT_SEQUENCE_NUMBER" || wanted.type == "AFTER_SEQUENCE_NUMBER";
  if (wanted.number && !by_number && wanted.type != "AT_TIMESTAMP")
    return refuse_combination(wanted, "also a StartingSequenceNumber");
  if (!wanted.number && by_number) return refuse_combination(wanted, "no StartingSequenceNumber");
  if (by_number) return from_number(stream, shard, wanted, account);
  const auto range = log.offsets(stream.partition(shard));
  if (!range) return refuse(fault_of(range.error(), stream.name(), account));
  if (wanted.type == "TRIM_HORIZON") return range->begin;
  if (wanted.type == "LATEST") return range->end;
  return from_time(log, stream, shard, wanted, now, range->end, account);
}

}  // namespace pinflow::doors::kinesis
