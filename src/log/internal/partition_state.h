#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/broker_log.h"

namespace pinflow::log {

// The file partition.state (docs/formats/log.md): what cannot be read from the segments. Without the file a partition has its first
// record at offset 0 and knows epoch 0 alone. A value type.
struct PartitionState {
  struct Epoch {
    std::int32_t number = 0;
    Offset start;  // Of its first record.
    friend bool operator==(const Epoch&, const Epoch&) = default;
  };
  Offset log_start;
  std::vector<Epoch> epochs = {{}};  // Ascending in both; at least one.

  std::int32_t epoch_at(Offset offset) const;
  // Of the greatest epoch not above `number`, in a log that ends at `end`.
  EpochEnd epoch_end(std::int32_t number, Offset end) const;
  // Begins the next epoch at `start`; what was to begin there or behind has no records any more.
  void begin_epoch(Offset start);

  std::string encode() const;
  // kCorrupt: the bytes are not what encode writes. kInvalid: a newer version.
  static Result<PartitionState> decode(std::string_view bytes);
  friend bool operator==(const PartitionState&, const PartitionState&) = default;
};

}  // namespace pinflow::log
