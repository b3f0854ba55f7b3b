#pragma once

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "base/clock.h"
#include "base/uuid.h"
#include "doors/kinesis/alarms.h"
#include "doors/kinesis/job_pool.h"
#include "doors/kinesis/protocol.h"
#include "doors/kinesis/shard_reading.h"
#include "doors/kinesis/stream_book.h"
#include "log/log.h"

namespace pinflow::doors::kinesis {

class LiveSubscription;

// The live subscriptions of consumers to shards (SubscribeToShard): one for each consumer and shard. A second one in the first 5 s of
// the first is refused, a later one takes over and the first ends. Each pushes records as the log gets them, says something every
// 5 s at least, and ends after 5 minutes or behind the shard's last record. It reads when the client is ready for an event, on
// the pool: one job at a time, so the pool's queue is bounded by `most`. Safe from any thread.
class Subscriptions final : public std::enable_shared_from_this<Subscriptions> {
 public:
  struct Parts {
    log::Log& log;
    const Clock& clock;
    StreamBook& book;
    JobPool& pool;
    Alarms& alarms;
    std::size_t most;
  };
  struct Wanted {
    StreamPtr stream;
    std::string consumer;
    ShardPosition from;
    std::string account;
  };

  explicit Subscriptions(Parts parts) : parts_(parts) {}
  std::expected<std::unique_ptr<EventSource>, Fault> begin(Wanted wanted);
  void end_consumer(const Uuid& stream, std::string_view consumer);
  // The shards of the stream changed: readers look whether theirs has ended.
  void wake(const Uuid& stream);
  // Ends all; after that nothing of the parts is used. New ones are refused.
  void close();

 private:
  friend class LiveSubscription;
  using Key = std::tuple<std::array<std::uint8_t, 16>, std::string, std::int32_t>;
  struct Entry {
    std::weak_ptr<LiveSubscription> live;
    SteadyTime since;
  };
  class Source;
  void forget(const Key& key, const LiveSubscription* live);
  template <class Pick>
  std::vector<std::shared_ptr<LiveSubscription>> pick(Pick pick);

  const Parts parts_;
  std::mutex mutex_;
  bool closed_ = false;
  std::map<Key, Entry> entries_;
};

}  // namespace pinflow::doors::kinesis
