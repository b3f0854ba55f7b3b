#include "app/terminal.h"

#include <cstdio>
#include <unistd.h>

#include <fmt/core.h>

namespace pinflow::app {

using std::chrono::duration;
using std::chrono::milliseconds;

ProgressLine::ProgressLine(const Clock& clock, bool quiet)
    : clock_(clock), enabled_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  clear();
}

void ProgressLine::show(std::string_view what, std::int64_t done, std::int64_t total) {
  if (!enabled_) return;
  const SteadyTime now = clock_.steady_now();
  if (what != what_) {
    what_ = what;
    began_ = now;
  } else if (now - drawn_ < milliseconds(100)) {
    return;
  }
  drawn_ = now;
  const double seconds = duration<double>(now - began_).count();
  const double rate = seconds > 0.2 ? static_cast<double>(done) / seconds : 0;
  std::string line = fmt::format("{}: {}", what, human_count(done));
  if (total > 0) line += fmt::format(" of {} ({}%)", human_count(total), 100 * done / total);
  if (rate > 0) line += fmt::format(", {}/s", human_count(static_cast<std::int64_t>(rate)));
  if (rate > 0 && total > done) line += fmt::format(", {:.0f} s left", static_cast<double>(total - done) / rate);
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (!enabled_ || what_.empty()) return;
  what_.clear();
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  const int decimals = unit == 0 || value >= 100 ? 0 : 1;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

std::string human_count(std::int64_t count) {
  std::string digits = fmt::format("{}", count);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, " ");
  }
  return digits;
}

}  // namespace pinflow::app
