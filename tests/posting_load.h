#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "records/kind.h"

namespace pinflow::testing {

// The body values of one invented post, as a posting script would send them.
std::string post_json(records::Kind kind, std::int64_t ind);

// Threads that post numbered records of all kinds to topics and streams, one record a request, each number once, and
// remember what was acknowledged. A number that got no answer is neither acknowledged nor sent again.
class PostingLoad {
 public:
  PostingLoad(std::string url, std::int64_t first_ind, std::size_t threads);
  ~PostingLoad();  // Stops.
  // Waits until so many posts were acknowledged, or every thread has lost its server.
  void wait_for_acknowledged(std::size_t count);
  void stop();

  // After stop(): numbers by topic or stream name, and the first number never used.
  const std::set<std::int64_t>& acknowledged(const std::string& topic) { return acknowledged_[topic]; }
  std::int64_t next_ind() const { return next_ind_; }

 private:
  void run();
  bool post(http::Client& client, records::Kind kind, bool to_stream, std::int64_t ind);
  http::Url url_;
  std::atomic<std::int64_t> next_ind_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t acknowledged_count_ = 0;
  std::size_t running_ = 0;
  std::map<std::string, std::set<std::int64_t>> acknowledged_;
  std::vector<std::thread> threads_;
};

}  // namespace pinflow::testing
