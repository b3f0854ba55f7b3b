#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "batch/internal/loaded.h"
#include "delta/table.h"
#include "objects/object_store.h"

// How far a table has taken in the sunk objects, kept in the table itself: the `txn` actions of the commit that brings the rows say
// through which offset, and which plan, of each partition they reach. A table and its positions cannot come apart, whatever is killed.
namespace pinflow::batch::internal {

// The id of each topic as the sink keeps it beside the objects, "-" where it keeps none: a topic that was made again begins anew.
class TopicIds {
 public:
  explicit TopicIds(objects::ObjectStore& objects) : objects_(objects) {}
  Result<std::string> of(const std::string& topic);

 private:
  objects::ObjectStore& objects_;
  std::map<std::string, std::string> ids_;
};

// How far the table has each partition.
Result<LoadedThrough> loaded_through(const delta::Snapshot& snapshot, TopicIds& ids);

// The actions that say so, of those partitions that `loaded` moves.
Result<std::vector<delta::Transaction>> transactions_of(const LoadedThrough& loaded, TopicIds& ids);

// What two tables have both, and what one has that another has not, with the positions where it has them.
LoadedThrough least(const LoadedThrough& one, const LoadedThrough& other);
LoadedThrough moved(const LoadedThrough& reached, const LoadedThrough& loaded);

// That the rows come from this statement, by a number of its text: other text, other rows, so all are made anew.
delta::Transaction made_by(std::string_view what, std::string_view text);
bool is_made_by(const delta::Snapshot& snapshot, std::string_view what, std::string_view text);

}  // namespace pinflow::batch::internal
