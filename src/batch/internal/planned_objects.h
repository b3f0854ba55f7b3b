#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "batch/internal/sunk_objects.h"
#include "objects/object_store.h"
#include "sink/plan.h"

namespace pinflow::batch::internal {

// What the plans of one partition name, from the plan behind a table's last on. A plan counts once all its objects are there: all but the
// last always are, as the sink makes a plan after it has put the objects of the one before. A value type of one thread; blocks.
class PlannedObjects {
 public:
  PlannedObjects(objects::ObjectStore& store, log::TopicPartition partition, records::Kind kind);

  // Finds the plans behind one. kCorrupt: there are plans, but none of that number any more, so they are others than those that are loaded.
  Result<void> find(std::int64_t behind);
  // Reads them and looks for their objects.
  Result<void> read();

  bool found() const { return !numbers_.empty(); }
  // Plans before the first one are gone, and what they name cannot be known.
  bool begins_late() const { return !numbers_.empty() && numbers_.front() > behind_ + 1; }
  std::int64_t through() const { return through_; }  // The last plan that is whole.
  const Taken& taken() const { return taken_; }      // What that plan says.
  std::vector<SunkObject>& objects() { return objects_; }
  const std::vector<std::pair<std::string, std::string>>& odd() const { return odd_; }  // As ObjectList has it.

  // The names of all objects of plans behind one, whole or not.
  Result<std::set<std::string>> names_behind(std::int64_t number);

 private:
  Result<void> describe();
  Result<void> describe_folder(std::size_t begin, std::size_t end);
  void settle();

  objects::ObjectStore& store_;
  const log::TopicPartition partition_;
  const records::Kind kind_;
  sink::PlanBook book_;
  std::int64_t behind_ = 0;
  std::int64_t through_ = 0;
  Taken taken_;
  Taken last_taken_;  // As the last plan has it, whole or not.
  std::vector<std::int64_t> numbers_;
  std::vector<SunkObject> objects_;
  std::vector<std::pair<std::string, std::string>> odd_;
};

}  // namespace pinflow::batch::internal
