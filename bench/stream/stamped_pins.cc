#include "stream/stamped_pins.h"

#include <algorithm>
#include <charconv>

namespace pinflow::bench {

using std::chrono::steady_clock;

StampedPins::StampedPins(const std::string& topic, int records_per_request, std::size_t expected)
    : pins_(topic, 0, records_per_request), expected_(expected) {}

std::uint32_t StampedPins::since_start(steady_clock::time_point time) const {
  const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(time - started_).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(passed, 0, Stamp::kNone - 1));
}

// {"offsets":[{"partition":0,"offset":17,"error_code":null,"error":null},...],...}
void StampedPins::accepted(steady_clock::time_point since, std::string_view answer) {
  constexpr std::string_view kPartition = R"("partition":)";
  constexpr std::string_view kOffset = R"("offset":)";
  const Stamp stamp{.due = since_start(since), .acknowledged = since_start(steady_clock::now())};
  for (std::size_t at = answer.find(kPartition); at != answer.npos; at = answer.find(kPartition, at + 1)) {
    std::int32_t partition = 0;
    std::int64_t offset = -1;
    const char* const end = answer.data() + answer.size();
    std::from_chars(answer.data() + at + kPartition.size(), end, partition);
    const std::size_t behind = answer.find(kOffset, at);
    if (behind != answer.npos) std::from_chars(answer.data() + behind + kOffset.size(), end, offset);
    if (offset < 0) {
      ++unplaced_;
      continue;
    }
    auto& stamps = stamps_[partition];
    if (stamps.capacity() == 0) stamps.reserve(expected_ + expected_ / 20);
    const auto index = static_cast<std::size_t>(offset);
    if (index >= stamps.size()) stamps.resize(index + 1);
    stamps[index] = stamp;
  }
}

std::map<std::int32_t, std::int64_t> StampedPins::last_offsets() const {
  std::map<std::int32_t, std::int64_t> last;
  for (const auto& [partition, stamps] : stamps_) last[partition] = static_cast<std::int64_t>(stamps.size()) - 1;
  return last;
}

Freshness StampedPins::match(const std::vector<SeenCommit>& commits, std::chrono::milliseconds warm_up) const {
  const auto begin = static_cast<std::uint32_t>(std::chrono::microseconds(warm_up).count());
  Freshness freshness;
  for (const auto& [partition, stamps] : stamps_) {
    std::size_t next = 0;  // The first record that no commit so far contains.
    for (const SeenCommit& commit : commits) {
      const auto position = commit.through.find(partition);
      if (position == commit.through.end()) continue;
      const std::uint32_t seen = since_start(commit.seen);
      const auto end = std::min(stamps.size(), static_cast<std::size_t>(position->second + 1));
      for (; next < end; ++next) {
        const Stamp& stamp = stamps[next];
        if (stamp.due == Stamp::kNone || stamp.due < begin) continue;
        freshness.acknowledged.push_back(stamp.acknowledged - stamp.due);
        freshness.visible.push_back(seen - std::min(seen, stamp.acknowledged));
        freshness.due_visible.push_back(seen - std::min(seen, stamp.due));
      }
    }
    for (; next < stamps.size(); ++next) freshness.unseen += stamps[next].due != Stamp::kNone;
  }
  std::ranges::sort(freshness.acknowledged);
  std::ranges::sort(freshness.visible);
  std::ranges::sort(freshness.due_visible);
  return freshness;
}

}  // namespace pinflow::bench
