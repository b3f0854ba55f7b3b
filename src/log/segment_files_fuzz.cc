#include <cstdlib>

#include "disk/memory_disk.h"
#include "log/internal/partition_state.h"
#include "log/internal/producer_table.h"
#include "log/internal/segment_scan.h"

// Any bytes are a segment, with or without damage, or a file beside it that is refused or comes back as the same bytes. The scan stays
// within the file, its batches rise, and its index stands on batches.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow;
  using namespace pinflow::log;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto index = SegmentIndex::decode(bytes);
      index && index->index.encode(index->base, index->end, index->size) != bytes)
    std::abort();
  if (const auto state = PartitionState::decode(bytes); state && state->encode() != bytes) std::abort();
  ProducerTable producers;
  (void)producers.decode(bytes, Offset(0));
  disk::MemoryDisk disk;
  auto file = disk.open_append("/segment");
  if (!file || !(*file)->append(bytes)) std::abort();
  for (const SegmentKind kind : {SegmentKind::kClosed, SegmentKind::kOpen, SegmentKind::kRewritten}) {
    const auto scan =
        scan_segment(**file, Offset(0), kind, kind == SegmentKind::kRewritten ? Offset(1'000) : kMostOffset);
    if (!scan || scan->valid_size > size || scan->file_size != size || scan->end < Offset(0)) std::abort();
    for (const Damage& damage : scan->damage)
      if (damage.begin >= damage.end || damage.end > size) std::abort();
    const IndexEntry* last = scan->index.after(0);
    for (const IndexEntry* entry = last; entry != nullptr; entry = scan->index.after(entry->position)) {
      if (entry->position >= scan->valid_size || entry->offset < last->offset || entry->offset >= scan->end)
        std::abort();
      last = entry;
    }
  }
  return 0;
}
