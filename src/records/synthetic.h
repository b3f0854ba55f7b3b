#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/columns.h"
#include "records/kind.h"

namespace pinflow::records {

struct SyntheticOptions {
  std::uint64_t seed = 1;
  std::int64_t posts = 11'154;
};

// Makes the synthetic data set: posts of invented people with the structure, distributions, correlations and
// dirt that real data of this kind shows (docs/synthetic-data.md). Deterministic for options, on every
// machine. Rows are made in order of index, in slices of any size, in memory proportional to the slice and to
// the number of people.
class SyntheticPosts {
 public:
  explicit SyntheticPosts(const SyntheticOptions& options);
  ~SyntheticPosts();
  // The next at most `limit` posts; each kind has one row a post, columns as raw_columns(kind). No rows: the
  // end.
  std::map<Kind, ColumnBatch> next(std::size_t limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::records
