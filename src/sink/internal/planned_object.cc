#include "sink/internal/planned_object.h"

#include "sink/object_bytes.h"
#include "sink/object_line.h"

namespace pinflow::sink::internal {

void PlannedObject::add(const log::StoredRecord& record) {
  offsets.append(record.offset);
  if (format == Format::kJson) {
    append_object_line(lines, record.value);
  } else {
    if (!rows) rows = parquet_rows();
    std::string line;
    append_object_line(line, record.value);
    line.pop_back();
    append_row(*rows, record, line);
  }
  ++records;
}

Result<std::string> PlannedObject::bytes(ParquetPacker* packer) const {
  if (rows) return packer->pack(compression, *rows);
  return pack_lines(compression, lines);
}

}  // namespace pinflow::sink::internal
