#include "emulator/emulator.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "base/queue.h"
#include "base/random.h"
#include "emulator/internal/post_sequence.h"
#include "emulator/internal/verdict.h"

namespace pinflow::emulator {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kProblems = 10;
constexpr milliseconds kProgressInterval{200};
constexpr std::chrono::seconds kLongestPause{2};

class ConditionSleeper final : public Sleeper {
 public:
  void sleep(nanoseconds time, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, time, [] { return false; });
  }
};

// What all connections add up. Safe from any thread.
class Tally final {
 public:
  Tally(const EmulatorOptions& options, const Clock& clock, std::optional<std::int64_t> total)
      : options_(options), clock_(clock), total_(total), start_(clock.steady_now()) {}

  void count(Target target, const TargetCounts& more) {
    const std::scoped_lock lock(mutex_);
    TargetCounts& sum = report_.counts[static_cast<std::size_t>(target)];
    sum.posted += more.posted;
    sum.acknowledged += more.acknowledged;
    sum.retried += more.retried;
    sum.unknown += more.unknown;
    sum.refused += more.refused;
    sum.failed += more.failed;
    progress_.retried += more.retried;
    progress_.lost += more.refused + more.failed;
  }

  void add_problem(std::string problem) {
    const std::scoped_lock lock(mutex_);
    if (report_.problems.size() < kProblems) report_.problems.push_back(std::move(problem));
  }

  void finish_post(bool done) {
    std::unique_lock lock(mutex_);
    ++report_.posts;
    report_.done += done ? 1 : 0;
    const SteadyTime now = clock_.steady_now();
    if (options_.progress && now - last_told_ >= kProgressInterval) tell(now);
  }

  void print(std::string_view line) {
    const std::scoped_lock lock(mutex_);
    if (options_.console) options_.console(line);
  }

  EmulatorReport finish() {
    const std::scoped_lock lock(mutex_);
    if (options_.progress) tell(clock_.steady_now());
    report_.took = duration_cast<milliseconds>(clock_.steady_now() - start_);
    return std::move(report_);
  }

 private:
  void tell(SteadyTime now) {
    last_told_ = now;
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    progress_.posts = report_.posts;
    progress_.total = total_;
    progress_.rate = elapsed > 0 ? static_cast<double>(report_.posts) / elapsed : 0;
    progress_.left.reset();
    if (total_ && progress_.rate > 0) {
      const double left = static_cast<double>(*total_ - report_.posts) / progress_.rate;
      progress_.left = seconds(static_cast<std::int64_t>(left + 0.5));
    }
    options_.progress(progress_);
  }

  const EmulatorOptions& options_;
  const Clock& clock_;
  const std::optional<std::int64_t> total_;
  const SteadyTime start_;
  std::mutex mutex_;
  EmulatorReport report_;
  Progress progress_;
  SteadyTime last_told_{};
};

// Sends posts over one connection. Used by one thread.
class Sender final {
 public:
  Sender(const EmulatorOptions& options, Sleeper& sleeper, Tally& tally, std::uint64_t seed, std::stop_token stop)
      : options_(options),
        sleeper_(sleeper),
        tally_(tally),
        random_(seed),
        stop_(std::move(stop)),
        client_(http::make_client(options.url, options.timeout, options.authority)) {}

  void send(const Post& post) {
    bool done = true;
    for (const Target target : options_.targets) {
      for (std::size_t k = 0; k < records::kKinds.size(); ++k) {
        if (post.records[k].empty()) continue;
        TargetCounts counts{.posted = 1};
        send_record(target, records::kKinds[k], post, post.records[k], counts);
        counts.failed = counts.posted - counts.acknowledged - counts.refused;
        done &= counts.acknowledged == 1;
        tally_.count(target, counts);
      }
    }
    tally_.finish_post(done);
  }

 private:
  http::Request request_for(Target target, records::Kind kind, std::string_view record) const {
    http::Request request;
    if (target == Target::kTopics) {
      request.method = "POST";
      request.target = fmt::format("/topics/{}", options_.names.topic(kind));
      request.headers.add("Content-Type", "application/vnd.kafka.json.v2+json");
      request.body = fmt::format(R"({{"records":[{{"value":{}}}]}})", record);
    } else {
      const std::string stream = options_.names.stream(kind);
      request.method = "PUT";
      request.target = fmt::format("/streams/{}/record", stream);
      request.headers.add("Content-Type", "application/json");
      request.body = fmt::format(R"({{"StreamName":"{}","Data":{},"PartitionKey":"{}"}})", stream, record,
                                 records::to_string(kind));
    }
    if (!options_.token.empty()) request.headers.add("Authorization", "Bearer " + options_.token);
    return request;
  }

  void send_record(Target target, records::Kind kind, const Post& post, std::string_view record, TargetCounts& counts) {
    if (target == Target::kConsole) {
      tally_.print(record);
      ++counts.acknowledged;
      return;
    }
    const http::Request request = request_for(target, kind, record);
    for (int attempt = 1;; ++attempt) {
      const internal::Verdict verdict = internal::judge(target, client_->send(request));
      if (verdict.is == internal::Verdict::Is::kStored) {
        ++counts.acknowledged;
        return;
      }
      const bool refused = verdict.is == internal::Verdict::Is::kRefused;
      if (refused || attempt >= options_.retry.attempts || stop_.stop_requested()) {
        counts.refused += refused ? 1 : 0;
        tally_.add_problem(fmt::format("post {}: {} {}{} {} (attempt {})", post.index, request.method,
                                       options_.url.prefix, request.target, verdict.reason, attempt));
        return;
      }
      counts.unknown += verdict.unknown ? 1 : 0;
      ++counts.retried;
      sleeper_.sleep(pause(attempt, verdict), stop_);
    }
  }

  milliseconds pause(int attempt, const internal::Verdict& verdict) {
    milliseconds longest = options_.retry.first;
    for (int i = 1; i < attempt && longest < options_.retry.longest; ++i) longest *= 2;
    longest = std::min(longest, options_.retry.longest);
    // A random half, so that connections that failed together do not come back together.
    const auto half = static_cast<std::uint64_t>(longest.count() / 2);
    const milliseconds wait(static_cast<std::int64_t>(half + random_.below(half + 1)));
    return std::max(wait, std::min(verdict.wait.value_or(milliseconds(0)), options_.retry.longest_server));
  }

  const EmulatorOptions& options_;
  Sleeper& sleeper_;
  Tally& tally_;
  Random random_;
  std::stop_token stop_;
  std::unique_ptr<http::Client> client_;
};

// Says how long to wait before the next post.
class Pace final {
 public:
  Pace(const EmulatorOptions& options, const Clock& clock)
      : options_(options), clock_(clock), random_(options.seed ^ 0x70616365), start_(clock.steady_now()) {}

  nanoseconds before_next() {
    if (options_.burst) return nanoseconds(0);
    if (!options_.rate)
      return nanoseconds(
          static_cast<std::int64_t>(random_.unit() * static_cast<double>(nanoseconds(kLongestPause).count())));
    // By the plan, not by the last post: a slow answer is caught up.
    const auto due =
        start_ + nanoseconds(static_cast<std::int64_t>(static_cast<double>(sent_++) * 1e9 / *options_.rate));
    return std::max(nanoseconds(0), nanoseconds(due - clock_.steady_now()));
  }

 private:
  const EmulatorOptions& options_;
  const Clock& clock_;
  Random random_;
  SteadyTime start_;
  std::int64_t sent_ = 0;
};

Result<void> check(const EmulatorOptions& options) {
  const auto wrong = [](std::string message) { return fail(ErrorCode::kInvalid, std::move(message)); };
  if (options.targets.empty()) return wrong("the emulator has no target; name one of console, topics, streams, both");
  if (options.burst && options.rate) return wrong("choose one of --rate and --burst, not both");
  if (options.rate && !(*options.rate > 0)) return wrong("the rate must be more than 0 posts a second");
  if (options.limit && *options.limit < 0) return wrong("the limit of posts must not be negative");
  if (options.connections < 1 || options.connections > 1'024) return wrong("connections must be between 1 and 1024");
  return {};
}

// Takes posts from the source at their pace and hands them to the connections.
Result<void> feed(internal::PostSequence& posts, const EmulatorOptions& options, const Clock& clock, Sleeper& sleeper,
                  BoundedQueue<Post>& queue, std::stop_token stop) {
  Pace pace(options, clock);
  for (std::int64_t sent = 0; !options.limit || sent < *options.limit; ++sent) {
    if (const nanoseconds wait = pace.before_next(); wait > nanoseconds(0)) sleeper.sleep(wait, stop);
    if (stop.stop_requested()) break;
    TRY_ASSIGN(auto post, posts.next());
    if (!post || !queue.push(std::move(*post), stop)) break;
  }
  return {};
}

std::optional<std::int64_t> total_of(const Source& source, Order order, std::optional<std::int64_t> limit) {
  const std::int64_t posts = source.extent().posts;
  if (posts == 0) return 0;
  if (order == Order::kDraws) return limit;
  return limit ? std::min(*limit, posts) : posts;
}

}  // namespace

std::string_view to_string(Target target) {
  switch (target) {
    case Target::kConsole:
      return "console";
    case Target::kTopics:
      return "topics";
    case Target::kStreams:
      return "streams";
  }
  CHECK(false, "a target outside its enum");
}

Result<std::vector<Target>> parse_targets(std::string_view text) {
  if (text == "both") return std::vector{Target::kTopics, Target::kStreams};
  for (const Target target : kTargets) {
    if (text == to_string(target)) return std::vector{target};
  }
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is no target; choose console, topics, streams or both", text));
}

Result<Order> parse_order(std::string_view text) {
  if (text == "draws") return Order::kDraws;
  if (text == "in-order") return Order::kInOrder;
  if (text == "shuffled") return Order::kShuffled;
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is no order; choose draws, in-order or shuffled", text));
}

std::unique_ptr<Sleeper> make_sleeper() {
  return std::make_unique<ConditionSleeper>();
}

Result<EmulatorReport> emulate(Source& source, const EmulatorOptions& options, const Clock& clock, Sleeper& sleeper,
                               std::stop_token stop) {
  TRY(check(options));
  const bool paced = !options.burst && !options.rate;
  const Order order = options.order.value_or(options.burst ? Order::kInOrder : Order::kDraws);
  const std::size_t connections = paced ? 1 : static_cast<std::size_t>(options.connections);
  // Posts at their pace are few: read few ahead, so that the first comes at once. Draws cost the source a search each slice. The
  // shuffled order depends on the size of slices, so that one is always the same.
  std::size_t slice = paced && order != Order::kShuffled ? 64 : 1'024;
  if (order == Order::kDraws && !paced) {
    slice = static_cast<std::size_t>(std::clamp<std::int64_t>(options.limit.value_or(8'192), 1, 8'192));
  }
  internal::PostSequence posts(source, order, options.seed, slice);
  Tally tally(options, clock, total_of(source, order, options.limit));
  BoundedQueue<Post> queue(2 * connections);  // When full, the source is read no further.

  std::vector<std::jthread> senders;
  for (std::size_t i = 0; i < connections; ++i) {
    senders.emplace_back([&, i] {
      Sender sender(options, sleeper, tally, options.seed + i, stop);
      while (auto post = queue.pop(stop)) sender.send(*post);
    });
  }
  const Result<void> fed = feed(posts, options, clock, sleeper, queue, stop);
  queue.close();
  senders.clear();  // Joins: what was taken from the source is sent.
  EmulatorReport report = tally.finish();
  if (!fed) return fail(fed.error());
  report.stopped = stop.stop_requested();
  return report;
}

}  // namespace pinflow::emulator
