#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"
#include "log/log.h"

namespace pinflow::doors::streams {

// A shard iterator: a position, who may use it (the stream as it was made, not another one of its name), and since when.
// Clients take the text as opaque. It grants nothing that its bearer could not ask for anyway, so it is not signed.
struct ShardIterator {
  std::string stream;
  Uuid stream_id;
  log::PartitionId shard;
  log::Offset offset;
  WallTime issued;

  std::string encode() const;
  // Empty: not an iterator of ours. Quotes around it are allowed, as AWS does.
  static std::optional<ShardIterator> decode(std::string_view text);
};

}  // namespace pinflow::doors::streams
