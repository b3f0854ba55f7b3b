#include "sink/internal/planned_object.h"

#include "sink/object_bytes.h"
#include "sink/object_line.h"

namespace pinflow::sink::internal {

void PlannedObject::add(const log::StoredRecord& record) {
  offsets.append(record.offset);
  append_object_line(lines, record.value);
  ++records;
}

Result<std::string> PlannedObject::bytes() const {
  return pack_lines(compression, lines);
}

}  // namespace pinflow::sink::internal
