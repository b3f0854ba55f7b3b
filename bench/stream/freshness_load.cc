// The driver of freshness.py: posts to a running pinflow at a fixed rate and tells, as one line of JSON, how long after its
// acknowledgement each post was visible in the Delta table, to a watcher of the table's log, and in the live answers, to a client
// that asks for new profiles. README.md of this folder tells how it is used.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "http/client.h"
#include "load.h"
#include "posts.h"
#include "records/kind.h"
#include "stream/commit_watch.h"
#include "stream/stamped_pins.h"

namespace pinflow::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::string_view kUsage =
    R"(Usage: freshness_load --port N --log FOLDER --rate N [--seconds N] [--warm-up N] [--connections N] [--records N] [--probes N]

  --log FOLDER     the _delta_log of the table of pins
  --rate N         posts a second, begun at even times whatever the server does
  --warm-up N      seconds at the beginning that are not counted
  --records N      records a post
  --probes N       new profiles a second that are posted beside and asked for until they are there
)";
constexpr seconds kPatience{60};                    // For the last record to be visible.
constexpr std::int64_t kProbeInds = 1'000'000'000;  // Posts of probes are numbered from here.

struct Options {
  std::uint16_t port = 0;
  std::string log;
  int rate = 0;
  int seconds = 20;
  int warm_up = 2;
  int connections = 64;
  int records = 1;
  int probes = 10;
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() && number >= 0;
}

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    bool good = true;
    if (name == "--port") {
      good = read_number(value, options.port);
    } else if (name == "--log") {
      options.log = value;
    } else if (name == "--rate") {
      good = read_number(value, options.rate);
    } else if (name == "--seconds") {
      good = read_number(value, options.seconds) && options.seconds <= 3'600;
    } else if (name == "--warm-up") {
      good = read_number(value, options.warm_up);
    } else if (name == "--connections") {
      good = read_number(value, options.connections) && options.connections > 0;
    } else if (name == "--records") {
      good = read_number(value, options.records) && options.records > 0;
    } else if (name == "--probes") {
      good = read_number(value, options.probes);
    } else {
      good = false;
    }
    if (!good) return std::nullopt;
  }
  if (argc % 2 == 0 || options.port == 0 || options.rate == 0 || options.log.empty()) return std::nullopt;
  return options;
}

// Posts a pin of a new profile now and then, and asks for the profile without a pause until the answer has it.
class Probes {
 public:
  explicit Probes(const Options& options)
      : port_(options.port),
        every_(1.0 / std::max(options.probes, 1)),
        thread_([this](const std::stop_token& stop) { result_ = run(stop); }) {}

  // The times in microseconds, sorted.
  Result<std::vector<std::uint32_t>> stop() {
    thread_.request_stop();
    thread_.join();
    return std::move(result_);
  }

 private:
  Result<std::vector<std::uint32_t>> run(const std::stop_token& stop) {
    const auto client = http::make_client({.host = "127.0.0.1", .port = port_, .prefix = ""}, seconds(10));
    std::vector<std::uint32_t> times;
    const auto started = steady_clock::now();
    std::mutex mutex;
    std::condition_variable_any wakes;
    for (std::int64_t number = 0;; ++number) {
      const auto due =
          started + std::chrono::duration_cast<steady_clock::duration>(every_ * static_cast<double>(number));
      std::unique_lock lock(mutex);
      wakes.wait_until(lock, stop, due, [] { return false; });
      if (stop.stop_requested()) break;
      TRY_ASSIGN(const std::uint32_t took, probe(*client, number));
      times.push_back(took);
    }
    std::ranges::sort(times);
    return times;
  }

  static Result<std::uint32_t> probe(http::Client& client, std::int64_t number) {
    const std::string profile = fmt::format("probe-{}", number);
    http::Request post;
    post.method = "PUT";
    post.target = "/streams/" + records::Names{}.stream(records::Kind::kPin) + "/record";
    post.headers.add("Content-Type", "application/json");
    post.body = pin_for_stream(kProbeInds + number, profile);
    TRY_ASSIGN(const http::Response posted, client.send(post));
    const auto acknowledged = steady_clock::now();
    if (posted.status != 200) return fail(ErrorCode::kUnavailable, "a probe was refused: " + posted.body);
    http::Request ask;
    ask.method = "GET";
    ask.target = "/live/profiles/" + profile;
    for (;;) {
      TRY_ASSIGN(const http::Response answer, client.send(ask));
      const auto passed = steady_clock::now() - acknowledged;
      if (answer.status == 200) {
        return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
      }
      if (passed > kPatience) return fail(ErrorCode::kUnavailable, "a probe was not visible: " + answer.body);
    }
  }

  const std::uint16_t port_;
  const std::chrono::duration<double> every_;
  Result<std::vector<std::uint32_t>> result_;
  std::jthread thread_;  // Last: it uses all of the above.
};

std::string milliseconds_of(const std::vector<std::uint32_t>& sorted) {
  const auto at = [&](double p) {
    if (sorted.empty()) return 0.0;
    const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
    return static_cast<double>(sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1]) / 1'000;
  };
  return fmt::format(R"({{"count":{},"p50":{:.3f},"p99":{:.3f},"p999":{:.3f},"max":{:.3f}}})", sorted.size(), at(0.5),
                     at(0.99), at(0.999), at(1));
}

struct CommitCounts {
  std::size_t appends = 0, rewrites = 0;
  int added_files = 0, removed_files = 0;
};

CommitCounts count(const std::vector<SeenCommit>& commits) {
  CommitCounts counts;
  for (const SeenCommit& commit : commits) {
    ++(commit.through.empty() ? counts.rewrites : counts.appends);
    counts.added_files += commit.added_files;
    counts.removed_files += commit.removed_files;
  }
  return counts;
}

Result<void> run(const Options& options) {
  TRY_ASSIGN(const auto watch, CommitWatch::start(options.log));
  const auto expected = static_cast<std::size_t>(options.rate) * static_cast<std::size_t>(options.records) *
                        static_cast<std::size_t>(options.seconds);
  StampedPins pins(records::Names{}.stream(records::Kind::kPin), options.records, expected);
  std::optional<Probes> probes;
  if (options.probes > 0) probes.emplace(options);
  auto load = run_load(options.port,
                       {.connections = options.connections,
                        .duration = seconds(options.seconds),
                        .rate = static_cast<double>(options.rate)},
                       pins);
  std::vector<std::uint32_t> popular;
  if (probes) {
    TRY_ASSIGN(popular, probes->stop());
  }
  if (!load) return fail(std::move(load).error());
  for (const auto& [partition, offset] : pins.last_offsets()) watch->wait_for(partition, offset, kPatience);
  const auto commits = watch->stop();
  const Freshness freshness = pins.match(commits, milliseconds(options.warm_up * 1'000));
  const CommitCounts counts = count(commits);
  fmt::print(
      R"({{"accepted":{},"refused":{},"unplaced":{},"unseen":{},"seconds":{:.3f},"cpu_seconds":{:.2f},"acknowledged":{},"visible":{},)"
      R"("due_visible":{},"popular":{},"appends":{},"rewrites":{},"added_files":{},"removed_files":{}}})"
      "\n",
      load->accepted * static_cast<std::uint64_t>(options.records), load->refused, pins.unplaced(), freshness.unseen,
      load->seconds, load->cpu_seconds, milliseconds_of(freshness.acknowledged), milliseconds_of(freshness.visible),
      milliseconds_of(freshness.due_visible), milliseconds_of(popular), counts.appends, counts.rewrites,
      counts.added_files, counts.removed_files);
  if (load->refused > 0) fmt::print(stderr, "{}\n", load->first_refusal);
  return {};
}

}  // namespace
}  // namespace pinflow::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = pinflow::bench::read_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "{}", pinflow::bench::kUsage);
    return 2;
  }
  if (const auto done = pinflow::bench::run(*options); !done) {
    fmt::print(stderr, "freshness_load: {}\n", done.error().message);
    return 1;
  }
  return 0;
}
