#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "delta/table.h"

namespace pinflow::batch::internal {

// Posts that are made by one statement into one file: the pins of some files, and between which values of `ind` they lie, both included.
struct PostsPart {
  std::vector<std::string> pins;
  delta::IntegerRange posts;
};

// Cuts the files of a table of pins into parts of about so many rows, each file in one of them, in the order of the posts that they
// begin with. So where posts came in the order of their numbers, a part needs a share of places and users alone, and no two parts reach over
// the same posts: a day finds its posts in few files. A file without statistics may hold any post.
std::vector<PostsPart> cut_by_posts(const delta::Snapshot& pins, std::int64_t rows);

}  // namespace pinflow::batch::internal
