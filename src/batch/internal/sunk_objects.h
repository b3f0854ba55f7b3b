#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/object_store.h"
#include "records/kind.h"
#include "records/raw_batch.h"
#include "sink/object_name.h"

namespace pinflow::batch::internal {

// An object of the sink's, and what its name says.
struct SunkObject {
  objects::ObjectInfo info;
  sink::ObjectName name;
  records::Kind kind = records::Kind::kPin;
};

struct ObjectList {
  std::vector<SunkObject> objects;  // Sorted by name.
  std::uint64_t bytes = 0;
  std::uint64_t skipped = 0;    // Objects that are none of the sink's, or of a topic of no kind.
  std::string skipped_example;  // One of them.
};

// Lists the objects of `topics`, or of all topics where there are none. kInvalid: a topic whose name tells no
// kind.
Result<ObjectList> list_objects(objects::ObjectStore& store, const std::vector<std::string>& topics);

// Adds the record of each line of an object to `rows`, or to `dead_letters` with its own bytes and the
// reason. Gives the number of lines. An empty line is a record, and a bad one; what follows the last newline
// counts as a line if it has bytes.
std::uint64_t read_lines(const SunkObject& object, std::string_view bytes, records::RawBatch& rows,
                         records::DeadLetters& dead_letters);

}  // namespace pinflow::batch::internal
