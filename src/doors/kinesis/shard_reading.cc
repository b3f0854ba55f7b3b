#include "doors/kinesis/shard_reading.h"

#include <algorithm>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/shard_writing.h"

namespace pinflow::doors::kinesis {

namespace {
using Read = std::expected<ShardRead, Fault>;

Read refuse(const Error& error, const Stream& stream, std::string_view account) {
  return std::unexpected(fault_of(error, stream.name(), account));
}

Result<std::vector<log::FetchedPartition>> fetch(log::Log& log, log::FetchPosition position, const ReadBounds& bounds) {
  log::FetchRequest request;
  request.positions.push_back(std::move(position));
  request.max_bytes = bounds.bytes;
  request.max_records = bounds.records;
  auto fetched = log.fetch(request, {});
  if (fetched && !fetched->empty() && fetched->front().error) return fail(*fetched->front().error);
  return fetched;
}
}  // namespace

Read read_shard(log::Log& log, StreamBook& book, const StreamPtr& stream, const ShardPosition& at,
                const ReadBounds& bounds, std::string_view account, WallTime now) {
  ShardRead out;
  out.shard = at.shard;
  // In this order: once no record can come into a closed shard, its end is its end.
  const bool closed = !stream->shards()[static_cast<std::size_t>(at.shard)].is_open();
  const bool is_final = closed && book.is_settled(*stream);
  const auto partition = stream->partition(at.shard);
  auto range = log.offsets(partition);
  if (!range) return refuse(range.error(), *stream, account);
  out.next = std::max(at.offset, range->begin);
  if (out.next < range->end) {
    auto fetched = fetch(log, {partition, out.next}, bounds);
    if (!fetched && fetched.error().code == ErrorCode::kInvalid) {
      // Retention took what was there a moment ago.
      range = log.offsets(partition);
      if (!range) return refuse(range.error(), *stream, account);
      out.next = std::max(at.offset, range->begin);
      fetched = fetch(log, {partition, out.next}, bounds);
    }
    if (!fetched) return refuse(fetched.error(), *stream, account);
    if (!fetched->empty()) {
      out.next = fetched->front().next;
      out.records = std::move(fetched->front().records);
    }
  }
  for (const log::StoredRecord& record : out.records)
    out.bytes += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  out.at_end = is_final && out.next >= range->end;
  if (out.next < range->end)
    out.behind = out.records.empty() ? std::chrono::milliseconds(1)
                                     : std::max(std::chrono::milliseconds(1), now - out.records.back().timestamp);
  return out;
}

void write_records(Writer& out, const Stream& stream, const ShardRead& read) {
  const bool encrypted = !stream.state().key_id.empty();
  out.member("Records").begin_list();
  for (const log::StoredRecord& record : read.records) {
    out.begin_structure().member("SequenceNumber");
    out.text(stream.record_number(read.shard, record.offset, record.timestamp).view());
    out.member("ApproximateArrivalTimestamp").time(record.timestamp);
    out.member("Data").blob(record.value ? std::string_view(*record.value) : std::string_view());
    out.member("PartitionKey").text(record.key ? std::string_view(*record.key) : std::string_view());
    if (encrypted) out.member("EncryptionType").text("KMS");
    out.end_structure();
  }
  out.end_list();
}

void write_shard_end(Writer& out, const Stream& stream, const ShardRead& read) {
  if (read.at_end) write_children(out, stream, read.shard);
}

}  // namespace pinflow::doors::kinesis
