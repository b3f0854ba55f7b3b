#pragma once

#include <cstdint>
#include <map>
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
  std::uint64_t skipped = 0;    // Objects met that are none of the sink's; one for each topic of no kind.
  std::string skipped_example;  // One of them.
};

// The last offset of each partition that is loaded already; a partition that is not named has none.
using LoadedThrough = std::map<log::TopicPartition, log::Offset>;

// Lists the objects of `topics`, or of all topics where there are none, that lie behind what is loaded: a partition's objects are listed
// from there on, so the cost is that of what is new. kInvalid: a topic whose name tells no kind.
Result<ObjectList> list_objects(objects::ObjectStore& store, const std::vector<std::string>& topics,
                                const LoadedThrough& loaded = {});

// Adds the record of each line of an object to `rows`, or to `dead_letters` with its own bytes and the
// reason. Gives the number of lines. An empty line is a record, and a bad one; what follows the last newline
// counts as a line if it has bytes.
std::uint64_t read_lines(const SunkObject& object, std::string_view bytes, records::RawBatch& rows,
                         records::DeadLetters& dead_letters);

}  // namespace pinflow::batch::internal
