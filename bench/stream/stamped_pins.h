#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "load.h"
#include "posts.h"
#include "stream/commit_watch.h"

namespace pinflow::bench {

// How long things took, in microseconds, each list sorted.
struct Freshness {
  std::vector<std::uint32_t> acknowledged;  // From when a post was due until its answer.
  std::vector<std::uint32_t> visible;  // From the answer until a commit with its row was seen; 0 where that was before.
  std::vector<std::uint32_t> due_visible;  // From when it was due until then.
  std::uint64_t unseen = 0;                // Acknowledged, and in no commit.
};

// Numbered pins to one topic by the Kafka REST door, with the times of each by partition and offset: 8 bytes a record, room for all
// of them taken at the beginning. Used by the thread of the load; read when it is over.
class StampedPins final : public Requests {
 public:
  StampedPins(const std::string& topic, int records_per_request, std::size_t expected);
  bool next(std::string& out) override { return pins_.next(out); }
  void accepted(std::chrono::steady_clock::time_point since, std::string_view answer) override;

  std::map<std::int32_t, std::int64_t> last_offsets() const;
  std::uint64_t unplaced() const { return unplaced_; }  // Records whose answer named no offset.
  // Holds the times against the commits, leaving out what was due within `warm_up`.
  Freshness match(const std::vector<SeenCommit>& commits, std::chrono::milliseconds warm_up) const;

 private:
  // Microseconds since the start: an hour fits.
  struct Stamp {
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t due = kNone;
    std::uint32_t acknowledged = kNone;
  };
  std::uint32_t since_start(std::chrono::steady_clock::time_point time) const;

  NumberedPins pins_;
  const std::size_t expected_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::map<std::int32_t, std::vector<Stamp>> stamps_;
  std::uint64_t unplaced_ = 0;
};

}  // namespace pinflow::bench
