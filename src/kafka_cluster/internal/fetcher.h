#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "kafka_cluster/internal/stream.h"
#include "kafka_cluster/internal/topic_cache.h"

namespace pinflow::kafka_cluster {

// Reads partitions for all callers of fetch(). Each partition that somebody reads is a stream that is kept and goes on where it was, so
// whoever reads on gets what was read ahead. Several readers of one partition have streams of several clients. Safe from any thread.
// `admin` and
// `topics` outlive it.
class Fetcher final {
 public:
  Fetcher(Admin& admin, TopicCache& topics, const Cluster& cluster)
      : admin_(admin), topics_(topics), cluster_(cluster) {}

  // As Log::fetch.
  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token stop);

 private:
  struct Lane {  // One client and the streams that nobody uses at the moment.
    std::unique_ptr<Client> client;
    std::vector<log::TopicPartition> busy;  // Whose streams are with a caller, or being opened or stopped.
  };
  struct Idle {
    std::size_t lane = 0;
    std::unique_ptr<Stream> stream;
  };
  struct Loan {
    std::size_t lane = 0;
    std::unique_ptr<Stream> stream;  // Null: could not be had.
    log::FetchedPartition fetched;
  };
  class Loans;

  bool lend(const log::FetchRequest& request, Loans& loans, StreamListener& news, std::stop_token stop,
            std::optional<Error>& error);
  static bool collect(std::vector<Loan>& loans, Stream::Budget& left, std::size_t& bytes);
  Result<bool> has_all(const std::vector<Loan>& loans, bool exact);
  Result<void> borrow(const log::FetchPosition& position, Loan& loan, std::stop_token stop);
  void give_back(Loan& loan);
  Result<std::size_t> lane_for(const log::TopicPartition& partition);
  bool is_busy(std::size_t lane, const log::TopicPartition& partition) const;
  void settle(std::size_t lane, const log::TopicPartition& partition);
  void trim(std::unique_lock<std::mutex>& lock);

  Admin& admin_;
  TopicCache& topics_;
  const Cluster cluster_;
  std::mutex mutex_;  // Of what follows.
  std::condition_variable_any returned_;
  std::vector<Lane> lanes_;
  std::list<Idle> idle_;  // The longest unused first.
  std::size_t out_ = 0;   // Streams with callers.
};

}  // namespace pinflow::kafka_cluster
