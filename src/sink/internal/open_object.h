#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "log/log.h"
#include "sink/offset_runs.h"

namespace pinflow::sink::internal {

// The lines that will be a partition's next object: values of consecutive offsets. A value type of one
// thread.
class OpenObject {
 public:
  bool empty() const { return records_ == 0; }
  log::Offset first() const { return first_; }
  log::Offset next() const { return first_ + records_; }  // The only offset it takes, unless empty.
  std::int64_t records() const { return records_; }
  SteadyTime opened() const { return opened_; }
  const std::string& text() const { return text_; }

  bool takes(log::Offset offset) const { return empty() || offset == next(); }
  void add(const log::StoredRecord& record, SteadyTime now);  // CHECKs takes(record.offset).
  void clear();

 private:
  log::Offset first_;
  std::int64_t records_ = 0;
  SteadyTime opened_;
  std::string text_;
};

}  // namespace pinflow::sink::internal
