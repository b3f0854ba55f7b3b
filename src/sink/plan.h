#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "objects/object_store.h"
#include "sink/offset_runs.h"

namespace pinflow::sink {

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

// The plans of one partition, in the object store: of several writers exactly one makes the next. All plans stay, so that readers of the
// objects learn from them which records each holds; they may be removed from the oldest on. A value type; blocks.
class PlanBook {
 public:
  PlanBook(objects::ObjectStore& store, const log::TopicPartition& partition);

  // The last plan, if any. The cost grows with the logarithm of the number of plans, as long as only the oldest were removed.
  Result<std::optional<Plan>> last();
  // Makes the plan the last one. kConflict: another writer was faster. Any other error: it may have happened.
  Result<void> add(const Plan& plan);

  // The numbers of the plans behind one, sorted.
  Result<std::vector<std::int64_t>> numbers_behind(std::int64_t number);
  Result<Plan> read(std::int64_t number);

 private:
  std::string name(std::int64_t number) const;
  Result<std::int64_t> number_of(std::string_view name) const;
  Result<bool> holds(std::int64_t number);
  Result<std::int64_t> last_number(std::int64_t first);

  objects::ObjectStore& store_;
  std::string folder_;
};

// "pinflow/sink/plans/": below it a folder for each topic, and in that one for each partition that has plans.
inline constexpr std::string_view kPlansFolder = "pinflow/sink/plans/";

}  // namespace pinflow::sink
