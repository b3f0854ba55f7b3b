#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "delta/table.h"
#include "objects/object_store.h"

namespace pinflow::migrate {

// A topic by name, with its id in the log that it came from and in the one that it is in now.
struct MovedTopic {
  std::string name;
  Uuid from;
  Uuid to;
};

// What lanes keep of how far they have a topic names the topic by its id, so that a topic made again under its name is not taken for the old
// one. These two say the same under the ids that the topics have in another log; what was said under the old ids stays. They hold for logs in
// which the records have the same offsets. Calling them again changes nothing.

struct MovedPositions {
  std::uint64_t tables = 0;     // To which positions were committed now.
  std::uint64_t positions = 0;  // Committed now.
};

// For all tables of a store, of the stream lane and of the batch: commits to each the positions (`txn` actions) that it has under an old id, under the
// new one; at once for a table, without a file. A position that is further under the new id stays. Errors as of delta::Table::append.
Result<MovedPositions> move_table_positions(const delta::TableContext& context, const std::vector<MovedTopic>& topics);
// As many as move_table_positions would commit; changes nothing.
Result<MovedPositions> count_table_positions(objects::ObjectStore& tables, sql::Engine& engine,
                                             const std::vector<MovedTopic>& topics);

// For the store of the objects: the sink goes on behind the objects of a topic only where they are of this topic (sink::identity_name). `from` tells of
// which id they are where they come from, and may be the same store; the ids may be the same, too. Gives how many were put. kConflict: the objects
// of one side are of a third topic.
Result<std::uint64_t> move_sink_identities(objects::ObjectStore& from, objects::ObjectStore& to,
                                           const std::vector<MovedTopic>& topics);

}  // namespace pinflow::migrate
