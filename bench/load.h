#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinflow::bench {

// What a load consists of: whole HTTP requests, one after the other.
class Requests {
 public:
  virtual ~Requests() = default;
  // Appends the bytes of the next request to `out`. False: there is none any more.
  virtual bool next(std::string& out) = 0;
  // Told of each answer 200: when its latency began to count, and its head and body.
  virtual void accepted(std::chrono::steady_clock::time_point /*since*/, std::string_view /*answer*/) {}
};

struct LoadLimits {
  int connections = 1;
  std::chrono::milliseconds duration{3'000};  // No request is begun after it.
  std::uint64_t requests = UINT64_MAX;        // At most so many.
  // Requests a second that begin at even times, whatever the server does: one that finds no free connection waits for it, and its
  // latency counts from the time at which it should have begun. 0: each connection asks again as soon as it is answered.
  double rate = 0;
};

struct LoadResult {
  std::uint64_t accepted = 0;     // Answered 200.
  std::uint64_t refused = 0;      // Answered otherwise.
  std::string first_refusal;      // Its status line and body.
  double seconds = 0;             // From the first request to the last answer.
  double cpu_seconds = 0;         // Of the load generator itself.
  std::vector<double> latencies;  // Milliseconds, of the accepted, sorted.
  double per_second() const { return seconds > 0 ? static_cast<double>(accepted) / seconds : 0; }
};

// Sends requests over keep-alive connections to a port of this machine, one at a time on each, from one thread on epoll: on two
// cores a thread per connection would measure the scheduler. kUnavailable: a connection broke.
Result<LoadResult> run_load(std::uint16_t port, const LoadLimits& limits, Requests& requests);

// The value below which the share `p` of sorted values lies; 0 of none.
double percentile(const std::vector<double>& sorted, double p);

// An HTTP/1.1 request as text.
std::string http_request(std::string_view method, std::string_view target, std::string_view content_type,
                         std::string_view body);

}  // namespace pinflow::bench
