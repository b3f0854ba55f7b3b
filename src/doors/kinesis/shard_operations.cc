#include <algorithm>

#include <fmt/format.h>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"
#include "doors/kinesis/sealed_text.h"
#include "doors/kinesis/shard_writing.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::int64_t kMostListed = 1000;
constexpr std::int32_t kMostShards = 10'000;
constexpr std::size_t kScalesADay = 10;
constexpr std::chrono::seconds kTokenLife{300};

// What a NextToken carries as its kind: which filter the list was begun with.
enum class Filter : std::uint8_t {
  kNone = 1,
  kAfterShard,
  kAtTrimHorizon,
  kFromTrimHorizon,
  kAtLatest,
  kAtTime,
  kFromTime
};

Filter filter_of(std::string_view type) {
  if (type == "AFTER_SHARD_ID") return Filter::kAfterShard;
  if (type == "AT_TRIM_HORIZON") return Filter::kAtTrimHorizon;
  if (type == "FROM_TRIM_HORIZON") return Filter::kFromTrimHorizon;
  if (type == "AT_LATEST") return Filter::kAtLatest;
  if (type == "AT_TIMESTAMP") return Filter::kAtTime;
  return Filter::kFromTime;
}

struct Listing {
  Filter filter = Filter::kNone;
  std::int32_t from = 0;  // The first index that is looked at.
  WallTime time;
};

// Children begin where their parents end, although their numbers say a second later.
WallTime opened(const Stream& stream, const Shard& shard) {
  if (shard.parent < 0) return std::min(WallTime(shard.created), stream.created());
  return *stream.shards()[static_cast<std::size_t>(shard.parent)].closed;
}

bool passes(const Stream& stream, const Shard& shard, const Listing& listing, WallTime now) {
  const WallTime horizon = std::max(stream.created(), now - std::chrono::hours(stream.retention_hours()));
  const auto open_at = [&](WallTime time) {
    return opened(stream, shard) <= time && (shard.is_open() || *shard.closed > time);
  };
  const auto open_after = [&](WallTime time) { return shard.is_open() || *shard.closed > time; };
  switch (listing.filter) {
    case Filter::kNone:
    case Filter::kAfterShard:
    case Filter::kFromTrimHorizon:
      return true;  // What is not told any more is left out before.
    case Filter::kAtTrimHorizon:
      return open_at(horizon);
    case Filter::kAtLatest:
      return shard.is_open();
    case Filter::kAtTime:
      return open_at(std::max(listing.time, horizon));
    case Filter::kFromTime:
      return open_after(std::max(listing.time, horizon));
  }
  return true;
}

// The filter of the first call; texts name what is missing.
std::expected<Listing, Fault> listing_of(const Value& input) {
  Listing listing;
  const auto index_after = [](std::string_view id) { return parse_shard_id(id).value_or(-1) + 1; };
  if (const auto after = input.text_of("ExclusiveStartShardId")) listing.from = index_after(*after);
  const Value& filter = input["ShardFilter"];
  if (filter.is_null()) return listing;
  listing.filter = filter_of(filter.text_of("Type").value_or(std::string_view()));
  if (listing.filter == Filter::kAfterShard) {
    const auto after = filter.text_of("ShardId");
    if (!after)
      return std::unexpected(invalid_argument("ShardId must be specified when ShardFilter's Type is AFTER_SHARD_ID."));
    listing.from = std::max(listing.from, index_after(*after));
  }
  if (listing.filter == Filter::kAtTime || listing.filter == Filter::kFromTime) {
    if (filter["Timestamp"].is_null())
      return std::unexpected(
          invalid_argument("Timestamp must be specified when ShardFilter's Type is AT_TIMESTAMP or FROM_TIMESTAMP."));
    listing.time = filter["Timestamp"].time();
  }
  return listing;
}

}  // namespace

KinesisOperations::Outcome KinesisOperations::list_shards(const Call& call) {
  const WallTime now = clock_.now();
  const auto token = call.input.text_of("NextToken");
  const std::string named = stream_of(call);
  if (!token && named.empty())
    return std::unexpected(invalid_argument("Either NextToken or StreamName should be provided."));
  if (token && !named.empty())
    return std::unexpected(invalid_argument("NextToken and StreamName cannot be provided together."));
  for (const auto* const member : {"ExclusiveStartShardId", "StreamCreationTimestamp"})
    if (token && !call.input[member].is_null())
      return std::unexpected(invalid_argument(fmt::format("NextToken and {} cannot be provided together.", member)));
  std::optional<SealedText> sealed;
  if (token) {
    sealed = SealedText::read(*token);
    if (!sealed || sealed->position().kind == 0) return std::unexpected(invalid_argument("Invalid NextToken."));
    if (now - sealed->position().issued > kTokenLife)
      return std::unexpected(
          Fault{"ExpiredNextTokenException", "The NextToken has expired; begin again without it.", 400});
  }
  const std::string name = sealed ? sealed->position().stream : named;
  if (sealed)
    if (auto refused = check_right(call, Needs::kMetadata, name)) return std::unexpected(std::move(*refused));
  const auto found = book_.find(name);
  if (!found) return std::unexpected(fault_of(found.error(), name, call.account));
  const Stream& stream = **found;
  Listing listing;
  if (sealed) {
    if (!sealed->is_of(stream.id())) return std::unexpected(stream_not_found(name, call.account));
    if (!sealed->is_sealed_by(stream.id())) return std::unexpected(invalid_argument("Invalid NextToken."));
    const SealedPosition& at = sealed->position();
    listing = {static_cast<Filter>(at.kind), at.shard, WallTime(std::chrono::milliseconds(at.detail))};
  } else {
    auto asked = listing_of(call.input);
    if (!asked) return std::unexpected(std::move(asked).error());
    listing = *asked;
  }
  const Value& created = call.input["StreamCreationTimestamp"];
  if (!created.is_null() && std::chrono::floor<std::chrono::seconds>(created.time()) !=
                                std::chrono::floor<std::chrono::seconds>(stream.created()))
    return std::unexpected(stream_not_found(name, call.account));
  const auto limit = std::min(call.input.integer_of("MaxResults").value_or(kMostListed), kMostListed);
  Writer out(call.encoding);
  out.begin_structure().member("Shards").begin_list();
  std::int64_t written = 0;
  std::optional<std::int32_t> rest;
  const auto count = stream.has_shards() ? static_cast<std::int32_t>(stream.shards().size()) : 0;
  for (std::int32_t i = listing.from; i < count && !rest; ++i) {
    if (!stream.is_told(i, now) || !passes(stream, stream.shards()[static_cast<std::size_t>(i)], listing, now))
      continue;
    if (written == limit) {
      rest = i;
    } else {
      write_shard(out, stream, i, now);
      ++written;
    }
  }
  out.end_list();
  if (rest)
    out.member("NextToken")
        .text(SealedPosition{name, *rest, 0, now, next_nonce(), static_cast<std::uint8_t>(listing.filter),
                             listing.time.time_since_epoch().count()}
                  .seal(stream.id()));
  out.end_structure();
  return Answer{std::move(out).take(), nullptr};
}

// The index in a member, before the stream is looked at.
std::expected<std::int32_t, Fault> KinesisOperations::changeable_shard(const Call& call, std::string_view member) {
  const auto text = call.input.text_of(member).value_or(std::string_view());
  const auto index = parse_shard_id(text);
  if (index) return *index;
  return std::unexpected(shard_not_found(text, stream_of(call), call.account));
}

namespace {

Fault on_demand_fault(const Stream& stream, std::string_view account) {
  return validation(
      fmt::format("Request is invalid. Stream {} under account {} is in On-Demand mode.", stream.name(), account));
}

Fault closed_fault(const Stream& stream, std::int32_t shard, std::string_view account) {
  return invalid_argument(fmt::format(
      "Shard {} in stream {} under account {} has already been merged or split, and thus is not eligible for "
      "merging or splitting.",
      shard_id(shard), stream.name(), account));
}

}  // namespace

KinesisOperations::Outcome KinesisOperations::split_shard_of(const Call& call) {
  const auto index = changeable_shard(call, "ShardToSplit");
  if (!index) return std::unexpected(index.error());
  const auto found = find_active(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  if (stream.state().on_demand) return std::unexpected(on_demand_fault(stream, call.account));
  const Shard* shard = stream.find_shard(*index, clock_.now());
  if (shard == nullptr) return std::unexpected(shard_not_found(shard_id(*index), stream.name(), call.account));
  if (!shard->is_open()) return std::unexpected(closed_fault(stream, *index, call.account));
  if (auto refused = check_quota(call, 1)) return std::unexpected(std::move(*refused));
  const auto text = call.input.text_of("NewStartingHashKey").value_or(std::string_view());
  const auto at = parse_hash_key(text);
  // Compared so that nothing overflows at the end of the ring.
  const bool good = at && *at > shard->range.first && *at - shard->range.first > 1 && *at < shard->range.last;
  if (!good)
    return std::unexpected(invalid_argument(fmt::format(
        "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {} is not both greater than "
        "one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
        text, shard_id(*index), stream.name(), call.account, to_decimal(shard->range.first),
        to_decimal(shard->range.last))));
  return promise(call, *found, {.kind = PendingChange::Kind::kSplit, .shard = *index, .at = *at});
}

KinesisOperations::Outcome KinesisOperations::merge_shards_of(const Call& call) {
  const auto lower = changeable_shard(call, "ShardToMerge");
  if (!lower) return std::unexpected(lower.error());
  const auto upper = changeable_shard(call, "AdjacentShardToMerge");
  if (!upper) return std::unexpected(upper.error());
  const auto found = find_active(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  if (stream.state().on_demand) return std::unexpected(on_demand_fault(stream, call.account));
  const WallTime now = clock_.now();
  for (const std::int32_t index : {*lower, *upper}) {
    const Shard* shard = stream.find_shard(index, now);
    if (shard == nullptr) return std::unexpected(shard_not_found(shard_id(index), stream.name(), call.account));
    if (!shard->is_open()) return std::unexpected(closed_fault(stream, index, call.account));
  }
  const HashRange first = stream.shards()[static_cast<std::size_t>(*lower)].range;
  const HashRange second = stream.shards()[static_cast<std::size_t>(*upper)].range;
  if (first.last == kLastHashKey || first.last + 1 != second.first)
    return std::unexpected(invalid_argument(
        fmt::format("Shards {} and {} in stream {} under account {} are not an adjacent pair of shards eligible for "
                    "merging",
                    shard_id(*lower), shard_id(*upper), stream.name(), call.account)));
  return promise(call, *found, {.kind = PendingChange::Kind::kMerge, .shard = *lower, .adjacent = *upper});
}

KinesisOperations::Outcome KinesisOperations::update_shard_count(const Call& call) {
  const auto found = find_active(call);
  if (!found) return std::unexpected(found.error());
  const Stream& stream = **found;
  if (stream.state().on_demand) return std::unexpected(on_demand_fault(stream, call.account));
  const auto target = call.input.integer_of("TargetShardCount").value_or(0);
  const std::int64_t open = stream.open_shards();
  const auto refuse_scale = [&](std::string_view way) {
    return std::unexpected(invalid_argument(fmt::format(
        "UpdateShardCount cannot scale {} your current open shard count. Current open shard count: {} Target "
        "shard count: {}",
        way, open, target)));
  };
  if (target > 2 * open) return refuse_scale("up over double");
  if (2 * target < open) return refuse_scale("down below half");
  if (target > kMostShards)
    return std::unexpected(limit_exceeded(fmt::format("A stream may have at most {} shards.", kMostShards)));
  const WallTime now = clock_.now();
  auto scaled = stream.state().scaled;
  std::erase_if(scaled, [&](WallTime time) { return now - time >= std::chrono::hours(24); });
  if (scaled.size() >= kScalesADay)
    return std::unexpected(limit_exceeded(
        fmt::format("Stream {} under account {} was scaled {} times in the last 24 hours, which is the limit.",
                    stream.name(), call.account, kScalesADay)));
  if (target > open)
    if (auto refused = check_quota(call, static_cast<std::int32_t>(target - open)))
      return std::unexpected(std::move(*refused));
  if (target != open) {
    scaled.push_back(now);
    const PendingChange pending{.kind = PendingChange::Kind::kScale, .target = static_cast<std::int32_t>(target)};
    auto answer = promise(call, *found, pending, [&](StreamState& state) { state.scaled = scaled; });
    if (!answer) return answer;
  }
  Writer out(call.encoding);
  out.begin_structure().member("StreamName").text(stream.name());
  out.member("CurrentShardCount").integer(open).member("TargetShardCount").integer(target);
  out.member("StreamARN").text(arn(call, stream.name())).end_structure();
  return Answer{std::move(out).take(), nullptr};
}

}  // namespace pinflow::doors::kinesis
