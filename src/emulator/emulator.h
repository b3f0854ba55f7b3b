#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "emulator/source.h"
#include "http/client.h"
#include "records/kind.h"

namespace pinflow::emulator {

enum class Target { kConsole, kTopics, kStreams };
inline constexpr std::array kTargets = {Target::kConsole, Target::kTopics, Target::kStreams};
std::string_view to_string(Target target);  // "console", "topics", "streams".
// "console", "topics", "streams" or "both" (topics and streams). kInvalid lists them.
Result<std::vector<Target>> parse_targets(std::string_view text);

enum class Order {
  kDraws,     // Any post again and again, as the posting scripts of such projects do; ends only by limit or stop.
  kInOrder,   // Every post once, by index.
  kShuffled,  // Every post once, in an order that the seed says.
};
Result<Order> parse_order(std::string_view text);  // "draws", "in-order", "shuffled".

// Waits between posts and before retries; a test puts its own in place. Safe from any thread.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  // Returns early when `stop` is requested.
  virtual void sleep(std::chrono::nanoseconds time, std::stop_token stop) = 0;
};
std::unique_ptr<Sleeper> make_sleeper();

struct RetryPolicy {
  int attempts = 12;                                 // In all; then the record has failed.
  std::chrono::milliseconds first{100};              // Doubles each time ...
  std::chrono::milliseconds longest{5'000};          // ... up to this, of which a random half is waited.
  std::chrono::milliseconds longest_server{60'000};  // A longer Retry-After is cut to this.
};

struct Progress {
  std::int64_t posts = 0;                         // Finished, well or not.
  std::optional<std::int64_t> total = {};         // Unknown for draws without limit.
  double rate = 0;                                // Posts a second since the start.
  std::optional<std::chrono::seconds> left = {};  // At that rate.
  std::int64_t retried = 0;
  std::int64_t lost = 0;  // Records refused or failed.
};

struct EmulatorOptions {
  std::vector<Target> targets = {Target::kConsole};
  http::Url url = {};  // Of the front door, with its stage: http://127.0.0.1:8082/Production.
  std::filesystem::path authority =
      {};                  // PEM file of whom an https:// door must be vouched for by; empty: whom the system trusts.
  std::string token = {};  // Shown to the front door with each post; empty: none.
  records::Names names = {};
  std::uint64_t seed = 1;
  std::optional<Order> order = {};         // By default draws, and with burst in order.
  std::optional<std::int64_t> limit = {};  // Posts.
  // Pace: by default a random pause of 0 to 2 s before each post; or `rate` posts a second; or, with burst, no pause.
  std::optional<double> rate = {};
  bool burst = false;
  int connections =
      32;  // With rate or burst; otherwise one. A post's records go over one connection, one after the other.
  std::chrono::milliseconds timeout{30'000};  // Of one answer.
  RetryPolicy retry = {};
  std::function<void(std::string_view line)> console = {};  // Gets one record a call, one call at a time.
  std::function<void(const Progress&)> progress = {};       // A few times a second, one call at a time.
};

// What became of the records of one target. posted = acknowledged + refused + failed.
struct TargetCounts {
  std::int64_t posted = 0;        // Records taken up.
  std::int64_t acknowledged = 0;  // Stored, by the word of the target.
  std::int64_t retried = 0;       // Requests sent again.
  std::int64_t unknown = 0;       // Of these, after a request whose outcome nobody knows: it may be stored twice.
  std::int64_t refused = 0;       // Said no for good (4xx).
  std::int64_t failed = 0;        // Not acknowledged after all attempts, or given up by stop.
};

struct EmulatorReport {
  std::int64_t posts = 0;                              // Taken from the source.
  std::int64_t done = 0;                               // Of these, posts whose every record every target acknowledged.
  std::array<TargetCounts, kTargets.size()> counts{};  // By Target.
  std::vector<std::string> problems;                   // The first ten refusals and failures, in words.
  bool stopped = false;
  std::chrono::milliseconds took{0};

  const TargetCounts& of(Target target) const { return counts[static_cast<std::size_t>(target)]; }
};

// Posts as the users of the site would: takes posts from the source and sends their records to the targets, with the bodies of
// the posting scripts of such projects:
//   POST {url}/topics/<topic>          {"records":[{"value":<record>}]}
//   PUT  {url}/streams/<stream>/record {"StreamName":"<stream>","Data":<record>,"PartitionKey":"<kind>"}
// Tries again, with back-off, what the target may take later: no connection, no whole answer, 408, 429, 5xx, and answers of 200
// that name an error. So each record arrives at least once or is counted as lost, never neither. Blocks until all is sent,
// the limit is reached or `stop` is requested. For a seed and a source the sequence of posts is the same each time; over several
// connections they arrive a little out of it.
// `source`, `clock` and `sleeper` must outlive the call. An error means that the source failed; what was sent stays sent.
Result<EmulatorReport> emulate(Source& source, const EmulatorOptions& options, const Clock& clock, Sleeper& sleeper,
                               std::stop_token stop);

}  // namespace pinflow::emulator
