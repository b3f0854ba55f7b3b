#include "sink/internal/open_object.h"

#include "base/check.h"
#include "sink/object_line.h"

namespace pinflow::sink::internal {

namespace {
constexpr std::size_t kKeptCapacity = std::size_t{64}
                                      << 10;  // Of an emptied object: many partitions shall not each keep a big one.
}

void OpenObject::add(const log::StoredRecord& record, SteadyTime now) {
  CHECK(takes(record.offset), "the lines of an object are consecutive offsets");
  if (empty()) {
    first_ = record.offset;
    opened_ = now;
  }
  append_object_line(text_, record.value);
  ++records_;
}

void OpenObject::clear() {
  records_ = 0;
  text_.clear();
  if (text_.capacity() > kKeptCapacity) text_.shrink_to_fit();
}

}  // namespace pinflow::sink::internal
