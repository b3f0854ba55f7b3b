#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "disk/disk.h"
#include "kinesis_source/aggregated.h"
#include "kinesis_source/kinesis_api.h"
#include "log/log.h"

namespace pinflow::kinesis_source {

// By these headers a record of the log says of which record of Kinesis it is.
inline constexpr std::string_view kShardHeader = "kinesis.shard";
inline constexpr std::string_view kSequenceHeader = "kinesis.sequence";
inline constexpr std::string_view kSubsequenceHeader =
    "kinesis.subsequence";  // Of one that was packed with others: from 0.

struct StreamCopyOptions {
  std::string stream;                               // In Kinesis, and the topic of the log, which must be there.
  disk::Path folder;                                // For the file of positions, <stream>.json.
  std::chrono::milliseconds poll{250};              // Of a shard without news. Kinesis allows five calls a second.
  std::chrono::milliseconds least_pause{200};       // Between two calls for one shard.
  std::chrono::milliseconds list_interval{10'000};  // Between two looks for new shards.
  std::chrono::milliseconds save_interval{10'000};  // Between two saved positions; after a crash so much is read again.
  std::chrono::milliseconds least_backoff{500}, most_backoff{30'000};
};

// Whether a sequence number is before another, as numbers.
bool sequence_before(std::string_view one, std::string_view other);

// A record that is copied: one of Kinesis, or one of those that a producer packed into it.
struct CopiedPlace {
  std::string sequence;
  std::uint64_t subsequence = 0;
  bool operator<(const CopiedPlace& other) const {
    return sequence == other.sequence ? subsequence < other.subsequence : sequence_before(sequence, other.sequence);
  }
};

struct ShardStatus {
  std::string shard;
  bool finished = false;                // Closed and read to its end.
  std::chrono::milliseconds behind{0};  // Of what is not read yet, as Kinesis last said.
  std::string error;                    // Why it does not go on now; empty when it does.
};

struct StreamCopyStatus {
  std::string stream;
  std::uint64_t records = 0;  // Copied since the start.
  std::vector<ShardStatus> shards;
  std::string error;  // Of the whole stream.
};

// Copies a stream of Kinesis into a topic, each record once: the core, which its owner calls in turns, all from one thread. Keys stay keys, and decide the partition
// as everywhere in the log; the time of a record is that of its arrival in Kinesis.
// The log itself says how far it has a shard, since each copied record names shard and sequence number. The file of positions says from where on to look: for each
// shard a sequence number up to which all is in the log, and where the log ended then. After a start, and after a produce that failed and may have stored some, what the
// log got since is read, and what it has is not copied again. So this must be the one writer of such records.
// A record that a producer library packed of several is copied as these, each by its own key.
// A shard that came of others begins when those are read to their end, so that records of one key keep their order.
// What Kinesis dropped before it was read is told as an error: of a shard that is gone, of a shard that was not read for longer than records are kept, and of a
// stream that was made again under its name, which is copied from its oldest record on.
class StreamCopy final {
 public:
  StreamCopy(StreamCopyOptions options, KinesisApi& kinesis, log::Log& log, disk::Disk& disk, const Clock& clock,
             Logger& logger);

  // Does what is due. Gives when to call again, at once where it is in the past. Errors are kept for status() and tried again with back-off.
  SteadyTime step(std::stop_token stop);
  // Saves the positions: at the end.
  Result<void> save();
  StreamCopyStatus status() const;

 private:
  struct ShardState {
    std::vector<std::string> parents = {};
    std::optional<std::string> complete = {};  // Up to it, everything is in the log; none: nothing is known of.
    std::set<CopiedPlace> present = {};        // Behind `complete`, found in the log.
    bool finished = false;
    bool listed = true;
    aws::HashKey first_hash = 0, last_hash = aws::kLastHashKey;
    bool told_of_strays = false;
    std::optional<WallTime> read_until = {};  // All that arrived in Kinesis before was read; none: not known.
    std::optional<std::string> iterator = {};
    int throttled = 0;  // Times in a row.
    SteadyTime next_call = SteadyTime::min();
    std::chrono::milliseconds behind{0};
    Backoff backoff;
    std::string error = {};
  };
  using Shards = std::map<std::string, ShardState>;

  Result<void> recover(std::stop_token stop);
  Result<void> scan(log::PartitionId partition, log::Offset from, std::stop_token stop);
  Result<void> look_for_shards();
  bool may_begin(const ShardState& shard) const;
  Result<void> copy_some(const std::string& id, ShardState& shard);
  void failed(const std::string& id, ShardState& shard, const Error& error, SteadyTime now);
  Result<void> tell_of_dropped(const std::string& id, const ShardState& shard, WallTime now);
  void begin_again(const std::string& id, ShardState& shard, const Shard& listed);
  struct Part;
  using Parts = std::map<log::PartitionId, Part>;
  Parts divide(const std::string& id, ShardState& shard, std::vector<Record> records);
  void take_packed(const std::string& id, ShardState& shard, const Record& record, std::vector<PackedRecord> packed,
                   Parts& parts);
  Result<void> append(const std::string& id, ShardState& shard, std::vector<Record> records);
  Result<void> load(const log::Topic& topic);
  bool is_settled() const;
  ShardState& shard(const std::string& id);

  const StreamCopyOptions options_;
  KinesisApi& kinesis_;
  log::Log& log_;
  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  bool recovered_ = false;
  bool listed_ = false;  // Since then.
  log::Topic topic_;
  std::map<log::PartitionId, log::Offset> seen_;  // Up to where the log's records are accounted for in `shards_`.
  Shards shards_;
  std::optional<std::chrono::hours> kept_;  // How long Kinesis keeps records, where it was asked for.
  SteadyTime next_listing_ = SteadyTime::min();
  SteadyTime next_save_ = SteadyTime::min();
  Backoff backoff_;        // Of Kinesis and of reading the log ...
  Backoff store_backoff_;  // ... and of storing.
  aws::KeyHasher hasher_;
  std::uint64_t records_ = 0;
  std::string error_;        // Of the stream ...
  std::string store_error_;  // ... and of what could not be stored.
};

}  // namespace pinflow::kinesis_source
