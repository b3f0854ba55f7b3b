#include "batch/internal/offset_joints.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace pinflow::batch::internal {

std::vector<std::pair<std::string, std::string>> broken_joints(const std::vector<SunkObject>& objects,
                                                               const std::vector<std::uint64_t>& lines,
                                                               const LoadedThrough& loaded) {
  CHECK(objects.size() == lines.size(), "each object has its number of lines");
  std::vector<std::pair<std::string, std::string>> found;
  LoadedThrough through = loaded;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (lines[i] == 0) continue;
    const log::TopicPartition& partition = objects[i].name.partition;
    const std::string place = fmt::format("{}/{}", partition.topic, partition.partition.value());
    if (objects[i].plan > 0) {  // Its plan names its offsets, and no other object has them.
      const std::int64_t lost = objects[i].offsets.count() - static_cast<std::int64_t>(lines[i]);
      if (lost > 0)
        found.emplace_back(place, fmt::format("{} records that were planned for {} had left the log before", lost,
                                              objects[i].info.name));
      continue;
    }
    const std::int64_t first = objects[i].name.first.value();
    const std::int64_t last = first + static_cast<std::int64_t>(lines[i]) - 1;
    log::Offset& before = through[partition].through;
    const std::int64_t expected = before.value() + 1;
    const bool is_first = before.value() < 0;  // What lay before it was removed, or was never there.
    before = std::max(before, log::Offset(last));
    if (is_first) continue;
    if (first > expected) {
      found.emplace_back(place, fmt::format("offsets {} to {} lie in no object", expected, first - 1));
    } else if (first < expected) {
      found.emplace_back(place, fmt::format("offsets {} to {} lie in two objects, one of them {}", first,
                                            std::min(last, expected - 1), objects[i].info.name));
    }
  }
  return found;
}

}  // namespace pinflow::batch::internal
