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
    const std::int64_t first = objects[i].name.first.value();
    const std::int64_t last = first + static_cast<std::int64_t>(lines[i]) - 1;
    const auto [before, is_first] = through.try_emplace(partition, log::Offset(last));
    if (is_first) continue;  // What lay before it was removed, or was never there.
    const std::int64_t expected = before->second.value() + 1;
    const std::string place = fmt::format("{}/{}", partition.topic, partition.partition.value());
    if (first > expected) {
      found.emplace_back(place, fmt::format("offsets {} to {} lie in no object", expected, first - 1));
    } else if (first < expected) {
      found.emplace_back(place, fmt::format("offsets {} to {} lie in two objects, one of them {}", first,
                                            std::min(last, expected - 1), objects[i].info.name));
    }
    before->second = std::max(before->second, log::Offset(last));
  }
  return found;
}

}  // namespace pinflow::batch::internal
