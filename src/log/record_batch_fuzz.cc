#include <cstdlib>

#include "log/record_batch.h"

// Any bytes are either refused or walked to the end without reading outside them; and what reads as a batch
// of plain records is written again with the same records.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::log;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)check_batch(bytes);
  // The checksum stops nearly all mutations, so the records are also walked without it.
  const auto header = read_batch_header(bytes);
  if (!header || header->size > size) return 0;
  auto records = BatchRecords::open(bytes.substr(0, header->size), *header);
  if (!records) return 0;
  std::string again;
  BatchBuilder builder(again, header->base_offset, 0);
  RecordView view;
  std::vector<StoredRecord> seen;
  while (true) {
    const auto more = records->next(view);
    if (!more) return 0;
    if (!*more) break;
    seen.push_back(to_stored(view));
    const StoredRecord& last = seen.back();
    builder.add({last.key, last.value, last.headers, last.timestamp}, last.timestamp);
  }
  if (seen.empty()) return 0;
  builder.finish();
  const auto copy = check_batch(again);
  if (!copy) std::abort();
  auto reread = BatchRecords::open(again, *copy);
  for (const StoredRecord& expected : seen) {
    if (!reread->next(view).value_or(false)) std::abort();
    const StoredRecord got = to_stored(view);
    if (got.key != expected.key || got.value != expected.value || got.headers != expected.headers ||
        got.timestamp != expected.timestamp)
      std::abort();
  }
  return 0;
}
