#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "batch/internal/loaded.h"
#include "objects/object_store.h"
#include "records/kind.h"
#include "records/raw_batch.h"
#include "sink/object_name.h"
#include "sink/offset_runs.h"

namespace pinflow::batch::internal {

// An object of the sink's, and what its name says, or the plan that names it.
struct SunkObject {
  objects::ObjectInfo info;
  sink::ObjectName name;
  records::Kind kind = records::Kind::kPin;
  std::int64_t plan = 0;          // 0: none.
  sink::OffsetRuns offsets = {};  // Of its lines, from its plan. Without plan they follow one another.
};

// Objects that are left alone, by the reason.
struct Skipped {
  void add(const std::string& reason, const std::string& name);
  std::uint64_t count() const;
  struct Some {
    std::uint64_t count = 0;
    std::string example;
  };
  std::map<std::string, Some> reasons;
};

struct ObjectList {
  std::vector<SunkObject> objects;  // Sorted by name.
  std::uint64_t bytes = 0;
  Skipped skipped;        // Objects met that are none of the sink's; one for each topic of no kind.
  LoadedThrough planned;  // Through which plans they reach.
  std::map<log::TopicPartition, Taken> taken;            // What those plans say of the partition's offsets.
  std::vector<std::pair<std::string, std::string>> odd;  // What is missing: "topic/partition" and a sentence.
};

// Lists the objects of `topics`, or of all topics where there are none, that lie behind what is loaded. Those of plans are found by the plans
// behind the loaded ones, whatever their names are. Those without plan are listed from the loaded offset on; once a table has a plan of a
// partition there are no more of them. So the cost is that of what is new. kInvalid: a topic whose name tells no kind.
Result<ObjectList> list_objects(objects::ObjectStore& store, const std::vector<std::string>& topics,
                                const LoadedThrough& loaded = {});

// Adds the record of each line of an object to `rows`, or to `dead_letters` with its own bytes and the
// reason. Gives the number of lines. An empty line is a record, and a bad one; what follows the last newline
// counts as a line if it has bytes. Where a planned object has fewer lines than its plan names, the log had lost its first records before it
// was put. kInvalid: it has more.
Result<std::uint64_t> read_lines(const SunkObject& object, std::string_view bytes, records::RawBatch& rows,
                                 records::DeadLetters& dead_letters);

}  // namespace pinflow::batch::internal
