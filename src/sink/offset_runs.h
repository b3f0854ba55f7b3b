#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"

namespace pinflow::sink {

// A set of offsets as half-open runs, in order. A value type.
class OffsetRuns {
 public:
  struct Run {
    std::int64_t begin = 0, end = 0;
    friend bool operator==(const Run&, const Run&) = default;
  };

  bool empty() const { return runs_.empty(); }
  const std::vector<Run>& runs() const { return runs_; }
  log::Offset first() const { return log::Offset(runs_.front().begin); }  // Not of an empty set.
  log::Offset end() const { return log::Offset(runs_.back().end); }       // Not of an empty set.
  std::int64_t count() const;

  void append(log::Offset offset);  // CHECKs that it lies behind all others.
  void clear() { runs_.clear(); }
  bool contains(log::Offset offset) const;  // Logarithmic.
  void drop_below(log::Offset offset);
  void add(const OffsetRuns& other);  // The union.

  // "12+3,2+1": a run begins at its distance from the end of the one before, and has a length; "-" for none.
  void append_text(std::string& out) const;
  static std::optional<OffsetRuns> parse(std::string_view text);

  friend bool operator==(const OffsetRuns&, const OffsetRuns&) = default;

 private:
  std::vector<Run> runs_;
};

}  // namespace pinflow::sink
