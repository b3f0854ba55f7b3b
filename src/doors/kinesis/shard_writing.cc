#include "doors/kinesis/shard_writing.h"

namespace pinflow::doors::kinesis {

namespace {
void write_range(Writer& out, const HashRange& range) {
  out.member("HashKeyRange").begin_structure();
  out.member("StartingHashKey").text(to_decimal(range.first));
  out.member("EndingHashKey").text(to_decimal(range.last)).end_structure();
}
}  // namespace

void write_shard(Writer& out, const Stream& stream, std::int32_t index, WallTime now) {
  const Shard& shard = stream.shards()[static_cast<std::size_t>(index)];
  out.begin_structure().member("ShardId").text(shard_id(index));
  if (shard.parent >= 0 && stream.is_told(shard.parent, now)) out.member("ParentShardId").text(shard_id(shard.parent));
  if (shard.adjacent_parent >= 0 && stream.is_told(shard.adjacent_parent, now))
    out.member("AdjacentParentShardId").text(shard_id(shard.adjacent_parent));
  write_range(out, shard.range);
  out.member("SequenceNumberRange").begin_structure();
  out.member("StartingSequenceNumber").text(stream.starting_number(index).view());
  if (!shard.is_open()) out.member("EndingSequenceNumber").text(stream.ending_number(index).view());
  out.end_structure().end_structure();
}

void write_children(Writer& out, const Stream& stream, std::int32_t parent) {
  out.member("ChildShards").begin_list();
  for (const std::int32_t index : stream.children_of(parent)) {
    const Shard& child = stream.shards()[static_cast<std::size_t>(index)];
    out.begin_structure().member("ShardId").text(shard_id(index)).member("ParentShards").begin_list();
    out.text(shard_id(child.parent));
    if (child.adjacent_parent >= 0) out.text(shard_id(child.adjacent_parent));
    out.end_list();
    write_range(out, child.range);
    out.end_structure();
  }
  out.end_list();
}

}  // namespace pinflow::doors::kinesis
