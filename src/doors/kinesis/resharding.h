#pragma once

#include <cstdint>

#include "doors/kinesis/stream_state.h"

namespace pinflow::doors::kinesis {

// Changes of the shards of a stream. Pure: each closes shards at `now` and adds their children, which begin a second later as on AWS.
// That the shards are open, and neighbours where two are named, is the caller's promise (CHECK).

// The second child begins at `at`.
void split_shard(StreamState& state, std::int32_t shard, HashKey at, WallTime now);
void merge_shards(StreamState& state, std::int32_t shard, std::int32_t adjacent, WallTime now);
// As AWS does it: going up, each open shard is split in the middle; then neighbours are merged until `target` are left. Does
// nothing where `target` are open already; it is at least half of them and at most twice as many.
void scale_shards(StreamState& state, std::int32_t target, WallTime now);

// Makes the change that the state promises, and forgets the promise. kCreate: nothing else is to do.
void make_pending_change(StreamState& state, WallTime now);

}  // namespace pinflow::doors::kinesis
