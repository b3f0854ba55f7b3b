#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/clock.h"
#include "base/uuid.h"

namespace pinflow::doors::kinesis {

// AWS's limits, where they are switched on: of each shard 1 MiB and 1,000 records a second in, 2 MiB and 5 reads a second out
// (a read of more than a second's bytes blocks the shard until they are paid off), and the calls of each operation a second. Buckets
// hold one second's worth and fill steadily by the steady clock. Safe from any thread. Buckets that are full again are forgotten
// from time to time, so their number follows the shards in use.
class Throttle final {
 public:
  explicit Throttle(const Clock& clock) : clock_(clock) {}

  struct ShardKey {
    Uuid stream;
    std::int32_t shard;
  };
  // Takes one record's worth; false, taking nothing, where that is too much.
  bool write(const ShardKey& shard, std::size_t bytes);
  // May the shard be read now? Counts the read.
  bool begin_read(const ShardKey& shard);
  void end_read(const ShardKey& shard, std::size_t bytes);
  // One call of those that share a limit under this name.
  bool call(const std::string& name, std::int64_t per_second);

 private:
  // Fills by `rate` units a second up to that many; measured in units of a nanosecond's share.
  struct Bucket {
    SteadyTime since{};
    bool used = false;
    __int128 left = 0;

    void fill(SteadyTime now, std::int64_t rate);
    bool has(std::int64_t units) const;
    void take(std::int64_t units);
  };
  struct Limits {
    Bucket write_bytes;
    Bucket write_records;
    Bucket reads;
    Bucket read_bytes;
    SteadyTime blocked_until{};
  };
  Limits& of(const ShardKey& shard);
  void forget_idle(SteadyTime now);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<std::array<std::uint8_t, 16>, std::int32_t>, Limits> shards_;
  std::unordered_map<std::string, Bucket> calls_;
  SteadyTime last_look_{};
};

}  // namespace pinflow::doors::kinesis
