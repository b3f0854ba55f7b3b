#include "doors/kinesis/resharding.h"

#include <algorithm>

#include "base/check.h"

namespace pinflow::doors::kinesis {

namespace {

Shard& open_shard(StreamState& state, std::int32_t index) {
  CHECK(index >= 0 && static_cast<std::size_t>(index) < state.shards.size(), "the shard is there");
  Shard& shard = state.shards[static_cast<std::size_t>(index)];
  CHECK(shard.is_open(), "the shard is open");
  return shard;
}

std::chrono::sys_seconds second_after(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time) + std::chrono::seconds(1);
}

std::vector<std::int32_t> open_in_order(const StreamState& state) {
  std::vector<std::int32_t> open;
  for (std::size_t i = 0; i < state.shards.size(); ++i)
    if (state.shards[i].is_open()) open.push_back(static_cast<std::int32_t>(i));
  std::ranges::sort(open, {}, [&](std::int32_t i) { return state.shards[static_cast<std::size_t>(i)].range.first; });
  return open;
}

}  // namespace

void split_shard(StreamState& state, std::int32_t index, HashKey at, WallTime now) {
  Shard& parent = open_shard(state, index);
  const HashRange range = parent.range;
  CHECK(at > range.first && at <= range.last, "both children have keys");
  parent.closed = now;
  state.shards.push_back({{range.first, at - 1}, index, -1, second_after(now)});
  state.shards.push_back({{at, range.last}, index, -1, second_after(now)});
}

void merge_shards(StreamState& state, std::int32_t index, std::int32_t adjacent, WallTime now) {
  Shard& lower = open_shard(state, index);
  Shard& upper = open_shard(state, adjacent);
  CHECK(lower.range.last + 1 == upper.range.first, "the shards are neighbours");
  const HashRange range{lower.range.first, upper.range.last};
  lower.closed = now;
  upper.closed = now;
  state.shards.push_back({range, index, adjacent, second_after(now)});
}

void scale_shards(StreamState& state, std::int32_t target, WallTime now) {
  auto open = open_in_order(state);
  if (static_cast<std::size_t>(target) > open.size()) {
    for (const std::int32_t index : open) {
      const HashRange range = state.shards[static_cast<std::size_t>(index)].range;
      split_shard(state, index, range.first + (range.last - range.first) / 2 + 1, now);
    }
    open = open_in_order(state);
    now += std::chrono::seconds(1);  // The children of the first step end when they begin.
  }
  // Spreads the merges over the ring, so that the wider shards do not lie together.
  const std::size_t merges = open.size() - static_cast<std::size_t>(target);
  std::size_t made = 0;
  for (std::size_t i = 0; i + 1 < open.size() && made < merges; ++i) {
    const bool must = open.size() - i <= 2 * (merges - made);
    const bool due = (made + 1) * static_cast<std::size_t>(target) <= (i + 2) * merges;
    if (!must && !due) continue;
    merge_shards(state, open[i], open[i + 1], now);
    ++i;
    ++made;
  }
  CHECK(made == merges, "each merge finds its pair");
}

void make_pending_change(StreamState& state, WallTime now) {
  const PendingChange change = state.pending;
  state.pending = {};
  switch (change.kind) {
    case PendingChange::Kind::kNone:
    case PendingChange::Kind::kCreate:
    case PendingChange::Kind::kDelete:
      return;
    case PendingChange::Kind::kSplit:
      return split_shard(state, change.shard, change.at, now);
    case PendingChange::Kind::kMerge:
      return merge_shards(state, change.shard, change.adjacent, now);
    case PendingChange::Kind::kScale:
      return scale_shards(state, change.target, now);
  }
}

}  // namespace pinflow::doors::kinesis
