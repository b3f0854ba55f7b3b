#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "objects/object_store.h"
#include "sink/internal/offset_runs.h"

namespace pinflow::sink::internal {

// What one partition's sink is about to put, and what it still owes then (docs/formats/objects.md, "Plans"). The objects of a plan
// and those of all before it hold each record below `high` once, but for `open`.
struct Plan {
  struct Object {
    std::string name;
    OffsetRuns offsets;
    friend bool operator==(const Object&, const Object&) = default;
  };
  std::int64_t number = 0;  // Of the partition's plans, from 1.
  log::Offset high;
  OffsetRuns open;
  std::vector<Object> objects;
  friend bool operator==(const Plan&, const Plan&) = default;
};

std::string write_plan(const Plan& plan);
Result<Plan> read_plan(std::string_view text, std::string_view name);  // kCorrupt: `name` for the message.

// The plans of one partition, in the object store: of several writers exactly one makes the next. A value type; blocks.
class PlanBook {
 public:
  PlanBook(objects::ObjectStore& store, const log::TopicPartition& partition);

  // The last plan, if any; plans before it are of no use and are removed.
  Result<std::optional<Plan>> last();
  // Makes the plan the last one. kConflict: another writer was faster. Any other error: it may have happened.
  Result<void> add(const Plan& plan);
  void remove(std::int64_t number);  // Of an older one. Errors leave it to a later last().

 private:
  std::string name(std::int64_t number) const;

  objects::ObjectStore& store_;
  std::string folder_;
};

}  // namespace pinflow::sink::internal
