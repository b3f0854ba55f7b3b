#pragma once

#include <cstdint>
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

// Which engine's rows a table of the batch has. Each of Spark's commits carries a `txn` that only grows; where DuckDB takes a table over it
// repeats the number under its own name, so that the greater one, DuckDB's of equals, tells who wrote the rows.
enum class Writer : std::uint8_t { kDuckdb, kSpark };
std::string_view to_string(Writer writer);
inline constexpr std::string_view kSparkWriter = "pinflow-batch/engine spark";
// None where the table has no commit with rows or positions yet.
std::optional<Writer> writer_of(const delta::Snapshot& snapshot);
// The number of Spark's last commit, 0 where there is none.
std::int64_t spark_number(const delta::Snapshot& snapshot);
// kInvalid where the other engine wrote the table; the message says how to change over.
Result<void> check_writer(const delta::Snapshot& snapshot, std::string_view table, Writer writer);
// The action with which DuckDB takes over a table of Spark's; none where it is DuckDB's.
std::optional<delta::Transaction> duckdb_takes_over(const delta::Snapshot& snapshot);

}  // namespace pinflow::batch::internal
