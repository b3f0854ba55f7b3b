#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace pinflow::app {

// One line on stderr that is redrawn while something long goes on: what, how far, rate and time left. Shows nothing when
// stderr is no terminal or `quiet` is set. Used by one thread.
class ProgressLine {
 public:
  ProgressLine(const Clock& clock, bool quiet);
  ~ProgressLine();  // Clears the line.
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Redraws, at most ten times a second. `total` 0: unknown.
  void show(std::string_view what, std::int64_t done, std::int64_t total);
  void clear();

 private:
  const Clock& clock_;
  bool enabled_;
  std::string what_;
  SteadyTime began_{};
  SteadyTime drawn_{};
};

// "1.2 MB", "17 kB": for people.
std::string human_bytes(std::uint64_t bytes);
// "12 345 678" in groups of three.
std::string human_count(std::int64_t count);

}  // namespace pinflow::app
