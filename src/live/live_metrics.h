#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "live/profiles.h"
#include "log/log.h"
#include "log/position_keeper.h"

namespace pinflow::live {

struct LiveOptions {
  std::vector<std::string> topics;  // Topics or streams of pin records; one that is not there yet is waited for.
  ProfilesOptions profiles{};
  std::string group = "pinflow-live";           // Its positions in the log show the lag; they decide nothing.
  std::chrono::milliseconds max_wait{1'000};    // How long one fetch may wait; a new partition is seen within it.
  std::chrono::milliseconds least_retry{100};   // After a failure, and while a topic is not there;
  std::chrono::milliseconds most_retry{1'000};  // doubled until this.
};

// How far one partition is read.
struct PartitionProgress {
  log::TopicPartition partition;
  log::Offset next;            // All records before it are in the answers.
  log::Offset high_watermark;  // As last seen by the reader.
  std::optional<Error> error;  // Why it is not being read, if it is not.
  std::int64_t lag() const { return std::max<std::int64_t>(high_watermark - next, 0); }
};

struct LiveStatus {
  std::vector<PartitionProgress> partitions;  // Sorted.
  std::uint64_t posts = 0;                    // Counted.
  std::uint64_t repeats = 0;                  // Records of posts that were counted already.
  std::uint64_t without_profile = 0;          // No name, the sentinel, or one too long.
  std::uint64_t unreadable = 0;               // No pin record: the stream lane dead-letters them.
  std::size_t profiles = 0;
  std::uint64_t evicted = 0;  // Profiles let go for want of room.
};

// A question: the first k by an order, or the one profile of that name.
struct Query {
  std::optional<std::string> name{};
  std::size_t k = 10;
  Order order = Order::kPopularity;
};

struct Answer {
  Ranking ranking;
  std::vector<PartitionProgress> positions;  // What the ranking was made from.
};

// Keeps Profiles up to date from the log: a thread of its own reads the topics from their beginning at each
// start and then waits for news, so a post is in the answers some milliseconds after its acknowledgement.
// Nothing is kept on disk: replaying the same log gives the same state, bit for bit where one partition is
// read. A record's time is that of the log, but never later than now. Records that cannot be read are counted
// and passed over. All methods are safe from any thread; a question holds the reader up while it is answered
// (3 ms for 100,000 profiles). `log`, `clock` and `logger` must outlive it.
class LiveMetrics final {
 public:
  LiveMetrics(LiveOptions options, log::Log& log, const Clock& clock, Logger& logger);
  ~LiveMetrics();
  LiveMetrics(const LiveMetrics&) = delete;
  LiveMetrics& operator=(const LiveMetrics&) = delete;

  // Answers all questions from one state at one moment.
  std::vector<Answer> answer_all(std::span<const Query> queries);
  Answer answer(const Query& query);

  LiveStatus status() const;
  Weights weights() const;

  // Waits until all records of the partition before `end` are in the answers. False: not within `timeout`, or
  // stopped.
  bool wait_until(const log::TopicPartition& partition, log::Offset end, std::chrono::milliseconds timeout);

  // Stops reading and joins the thread; answers are still given, from what was read.
  void stop();

 private:
  class Reader;

  void publish(std::span<const Post> posts, std::uint64_t unreadable, std::vector<PartitionProgress> partitions);

  const LiveOptions options_;
  log::Log& log_;
  const Clock& clock_;
  Logger& logger_;
  log::PositionKeeper positions_;

  mutable std::mutex mutex_;  // Guards what follows, up to the thread.
  std::condition_variable_any changed_;
  Profiles profiles_;
  LiveStatus status_;
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::live
