#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "records/kind.h"
#include "stream/stream_lane.h"

namespace pinflow::stream {

struct ReplayOptions {
  records::Kind kind = records::Kind::kPin;
  Position from = Earliest{};
  Position to = Latest{};  // Not included: the first record that is left out.
  std::string range = {};  // How the user named the range; a table is filled from one range only.
  std::string into = {};   // The new table. Its dead letters go to `<into>_dead_letters`.
};

struct ReplayReport {
  std::uint64_t records = 0,
                dead_letters =
                    0;    // Taken in by this call; fewer than the range has where it goes on with an earlier one.
  std::int64_t rows = 0;  // Of the table now.
  std::int64_t version = -1;
};

// Takes a past range of a stream into a table of its own, as the lane does it and exactly once: after a crash the same call goes
// on. It may run beside the lane, over the same log. `lane` gives names, batches and the pipeline's id. kInvalid: the table is one of
// the lane's, or was filled from another range or by somebody else. kCancelled: stopped; what is committed stays.
Result<ReplayReport> replay(const ReplayOptions& options, StreamOptions lane, const StreamContext& context,
                            Random random, const std::stop_token& stop,
                            const std::function<void(const TableStatus&)>& progress = {});

}  // namespace pinflow::stream
