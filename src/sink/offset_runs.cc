#include "sink/offset_runs.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"

namespace pinflow::sink {

std::int64_t OffsetRuns::count() const {
  std::int64_t count = 0;
  for (const Run& run : runs_) count += run.end - run.begin;
  return count;
}

void OffsetRuns::append(log::Offset offset) {
  const std::int64_t value = offset.value();
  if (!runs_.empty() && runs_.back().end == value) {
    ++runs_.back().end;
    return;
  }
  CHECK(runs_.empty() || runs_.back().end < value, "offsets are added in order");
  runs_.push_back({value, value + 1});
}

bool OffsetRuns::contains(log::Offset offset) const {
  const auto after = std::ranges::upper_bound(runs_, offset.value(), {}, &Run::begin);
  return after != runs_.begin() && offset.value() < std::prev(after)->end;
}

void OffsetRuns::drop_below(log::Offset offset) {
  const auto kept = std::ranges::find_if(runs_, [&](const Run& run) { return run.end > offset.value(); });
  runs_.erase(runs_.begin(), kept);
  if (!runs_.empty()) runs_.front().begin = std::max(runs_.front().begin, offset.value());
}

void OffsetRuns::add(const OffsetRuns& other) {
  std::vector<Run> all = std::move(runs_);
  all.insert(all.end(), other.runs_.begin(), other.runs_.end());
  std::ranges::sort(all, {}, &Run::begin);
  runs_.clear();
  for (const Run& run : all) {
    if (!runs_.empty() && run.begin <= runs_.back().end) {
      runs_.back().end = std::max(runs_.back().end, run.end);
    } else {
      runs_.push_back(run);
    }
  }
}

void OffsetRuns::append_text(std::string& out) const {
  if (runs_.empty()) out += '-';
  std::int64_t end = 0;
  for (const Run& run : runs_) {
    fmt::format_to(std::back_inserter(out), "{}{}+{}", end == 0 ? "" : ",", run.begin - end, run.end - run.begin);
    end = run.end;
  }
}

std::optional<OffsetRuns> OffsetRuns::parse(std::string_view text) {
  OffsetRuns runs;
  if (text == "-") return runs;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const char* at = text.data();
  const char* const stop = at + text.size();
  for (std::int64_t end = 0;;) {
    std::int64_t distance = 0, length = 0;
    const auto first = std::from_chars(at, stop, distance);
    if (first.ec != std::errc() || first.ptr == stop || *first.ptr != '+' || distance < 0) return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, stop, length);
    if (second.ec != std::errc() || length <= 0 || distance > kMost - end || length > kMost - end - distance)
      return std::nullopt;
    runs.runs_.push_back({end + distance, end + distance + length});
    end += distance + length;
    if (second.ptr == stop) return runs;
    if (*second.ptr != ',') return std::nullopt;
    at = second.ptr + 1;
  }
}

}  // namespace pinflow::sink
