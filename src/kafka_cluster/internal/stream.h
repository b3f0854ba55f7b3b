#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kafka_cluster/internal/client.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

// Told by the client's threads that a stream has news.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void notify() = 0;  // Must not call the client.
};

// One partition that a consumer reads ahead, from one position on. Used by one caller at a time; `client` outlives it, and no other
// stream of that client reads the same partition.
class Stream final {
 public:
  static Result<std::unique_ptr<Stream>> open(Client& client, const log::TopicPartition& partition, log::Offset from);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const log::TopicPartition& partition() const { return partition_; }
  // The offset that take() goes on from.
  log::Offset next() const { return next_; }
  // All that was there was taken when the client looked last.
  bool is_at_end() const { return at_end_ && held_.empty(); }
  // Something failed: it goes on only by being opened anew.
  bool is_broken() const { return broken_; }
  // Who is told of news from now on; null: nobody.
  void listen(StreamListener* listener);

  struct Budget {
    std::size_t bytes = 0;
    std::size_t records = 0;
    bool nothing_yet = true;  // A first record goes over the bounds.
  };
  // Moves what is here into `out`, within the budget: records, `next`, the high watermark, and an error.
  void take(Budget& budget, log::FetchedPartition& out);

 private:
  Stream(Client& client, log::TopicPartition partition, log::Offset from)
      : client_(client), partition_(std::move(partition)), next_(from) {}
  bool refill();
  bool accept(const rd_kafka_message_t& message, Budget& budget, log::FetchedPartition& out);
  Error read_error(const rd_kafka_message_t& message) const;

  Client& client_;
  const log::TopicPartition partition_;
  log::Offset next_;
  TopicHandle topic_;
  QueueHandle queue_;
  std::deque<MessageHandle> held_;  // Read and not yet taken; at most one batch.
  bool started_ = false;
  bool at_end_ = false;
  bool broken_ = false;
};

}  // namespace pinflow::kafka_cluster
