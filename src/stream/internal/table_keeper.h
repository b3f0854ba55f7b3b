#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/random.h"
#include "delta/table.h"
#include "stream/stream_lane.h"

namespace pinflow::stream::internal {

// Keeps the lane's tables fit for readers while the lane appends to them: puts small files together, and once a day removes
// those that no version of the last days needs. It holds tables of its own; the commit protocol arbitrates between it and
// the lane, as between processes. Of several processes that share the streams, the one that has the first partition of a table's stream
// keeps that table (and the one that has it of the pins, the dead letters): two would only undo each other's work. One thread calls it.
class TableKeeper {
 public:
  TableKeeper(const StreamOptions& options, const StreamContext& context, Random random);

  // One round over the tables that are there. What fails is told in the log and tried again in the next round.
  void look_after(const std::stop_token& stop);

 private:
  struct Kept {
    log::TopicPartition of;               // Who works on it keeps the table.
    std::unique_ptr<delta::Table> table;  // Empty: not opened yet, or it failed.
    std::optional<WallTime> vacuumed;     // The day of the last vacuum.
  };
  bool is_ours(const log::TopicPartition& partition) const;
  Result<void> look_after(const std::string& name, Kept& kept, const std::stop_token& stop);

  StreamContext context_;
  Random random_;
  std::map<std::string, Kept> tables_;
};

}  // namespace pinflow::stream::internal
