#include "batch/internal/posts_parts.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace pinflow::batch::internal {

std::vector<PostsPart> cut_by_posts(const delta::Snapshot& pins, std::int64_t rows) {
  struct File {
    delta::IntegerRange posts;
    std::string path;
    std::int64_t rows = 0;
  };
  constexpr delta::IntegerRange kAny{std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max()};
  std::vector<File> files;
  for (const auto& [path, file] : pins.files)
    files.push_back({delta::integer_range(file, "ind").value_or(kAny), path, file.rows});
  std::ranges::sort(files, {}, [](const File& file) { return std::tie(file.posts.least, file.path); });
  std::vector<PostsPart> parts;
  std::int64_t room = 0;
  for (File& file : files) {
    if (room <= 0) {
      parts.push_back({.pins = {}, .posts = file.posts});
      room = rows;
    }
    PostsPart& part = parts.back();
    part.pins.push_back(std::move(file.path));
    part.posts.greatest = std::max(part.posts.greatest, file.posts.greatest);
    room -= file.rows;
  }
  return parts;
}

}  // namespace pinflow::batch::internal
