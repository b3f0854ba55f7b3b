#include "scenarios.h"

#include <cmath>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/random.h"
#include "child.h"
#include "http/client.h"
#include "inspect.h"
#include "live/answering.h"
#include "load.h"
#include "posts.h"

namespace pinflow::bench {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

const records::Names kNames;

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

double seconds_since(steady_clock::time_point begin) {
  return duration<double>(steady_clock::now() - begin).count();
}

// A data folder of its own for a run; removed with all in it.
class DataFolder {
 public:
  DataFolder(const Plan& plan, std::string_view name) : path_(plan.folder / name) { remove(); }
  ~DataFolder() { remove(); }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    std::filesystem::remove(path_.string() + ".log", ignored);
  }
  std::filesystem::path path_;
};

// Looks every few milliseconds: these are the product's files, and it tells nobody outside of it that they grew.
bool wait_for(seconds longest, milliseconds every, const std::function<bool()>& reached) {
  const auto begin = steady_clock::now();
  while (!reached()) {
    if (steady_clock::now() - begin > longest) return false;
    std::this_thread::sleep_for(every);
  }
  return true;
}

// Posts the synthetic data set, and checks that the log holds all of it.
Result<LoadResult> fill(const Server& server, std::int64_t posts, SyntheticLoad::To to) {
  SyntheticLoad load(posts, to);
  TRY_ASSIGN(LoadResult result, run_load(server.port(), {.connections = 4, .duration = seconds(600)}, load));
  if (result.refused > 0) return fail(ErrorCode::kUnavailable, "filling was refused: " + result.first_refusal);
  for (const records::Kind kind : records::kKinds) {
    const std::string topic = to == SyntheticLoad::To::kTopics ? kNames.topic(kind) : kNames.stream(kind);
    TRY_ASSIGN(const std::int64_t end, end_offset(server.port(), topic));
    if (end != posts)
      return fail(ErrorCode::kUnavailable, fmt::format("{} holds {} records, not {}", topic, end, posts));
  }
  return result;
}

struct PostingCase {
  std::string name;
  int connections;
  int records_per_request;
};

struct PostingRun {
  double records_per_second = 0;
  double p50 = 0, p99 = 0;
  Ended ended;
};

Result<PostingRun> post_once(const Plan& plan, Report& report, const PostingCase& what) {
  const DataFolder data(plan, "posting");
  TRY_ASSIGN(Server server, Server::start(plan.program, data.path()));
  const std::string topic = kNames.topic(records::Kind::kPin);
  NumberedPins pins(topic, 0, what.records_per_request);
  TRY_ASSIGN(const LoadResult warm, run_load(server.port(), {.connections = what.connections, .requests = 200}, pins));
  TRY_ASSIGN(const LoadResult load,
             run_load(server.port(), {.connections = what.connections, .duration = plan.load_duration}, pins));
  if (warm.refused + load.refused > 0) {
    report.fail(what.name, fmt::format("{} requests were refused: {}", load.refused, load.first_refusal));
  }
  // An acknowledgement that the log does not hold would be worth nothing.
  TRY_ASSIGN(const std::int64_t end, end_offset(server.port(), topic));
  const auto acknowledged = static_cast<std::int64_t>(warm.accepted + load.accepted) * what.records_per_request;
  if (end != acknowledged) report.fail(what.name, fmt::format("acknowledged {}, in the log {}", acknowledged, end));
  TRY_ASSIGN(const Ended ended, server.stop());
  return PostingRun{.records_per_second = load.per_second() * what.records_per_request,
                    .p50 = percentile(load.latencies, 0.5),
                    .p99 = percentile(load.latencies, 0.99),
                    .ended = ended};
}

// From the start of the process, on streams that are full and tables that are not there, to the commit of the last record.
Result<double> drain_once(const Plan& plan, const DataFolder& data, std::int64_t posts, Ended& ended) {
  std::filesystem::remove_all(data.path() / "tables");
  TRY_ASSIGN(Server server, Server::start(plan.program, data.path()));
  const bool drained = wait_for(seconds(300), milliseconds(5), [&] {
    return std::ranges::all_of(records::kKinds, [&](records::Kind kind) {
      return committed_end(data.path() / "tables" / kNames.table(kind)) >= posts;
    });
  });
  const double took = seconds_since(server.started());
  if (!drained) return fail(ErrorCode::kUnavailable, "the stream lane did not take all records within 300 s");
  TRY_ASSIGN(ended, server.stop());
  return took;
}

Result<void> check_rows(const Plan& plan, Report& report, const DataFolder& data, const std::string& table,
                        std::int64_t expected) {
  TRY_ASSIGN(const std::int64_t rows, table_rows(plan.program, data.path(), table));
  if (rows != expected) report.fail(table, fmt::format("has {} rows, not {}", rows, expected));
  return {};
}

Result<void> measure_batch_of(const Plan& plan, Report& report, std::int64_t posts) {
  const DataFolder data(plan, "batch");
  {
    TRY_ASSIGN(Server server, Server::start(plan.program, data.path()));
    TRY(fill(server, posts, SyntheticLoad::To::kTopics));
    const bool sunk = wait_for(seconds(600), milliseconds(100), [&] {
      return std::ranges::all_of(
          records::kKinds, [&](records::Kind kind) { return sunk_end(data.path(), kNames.topic(kind)) >= posts; });
    });
    if (!sunk) return fail(ErrorCode::kUnavailable, "the sink did not take all records within 600 s");
    TRY(server.stop());
  }
  Measure measure{.name = fmt::format("batch of {} posts", posts), .unit = "s", .runs = {}};
  std::vector<double> memory, processor;
  const int runs = posts > 100'000 ? std::min(plan.runs, 3) : plan.runs;
  for (int run = 0; run < runs; ++run) {
    TRY_ASSIGN(const Finished batch,
               run_program(plan.program, {"batch", "run", "--quiet", "--data", data.path().string()},
                           data.path().string() + ".log", seconds(900)));
    measure.runs.push_back(batch.seconds);
    memory.push_back(mebibytes(batch.ended.peak_memory));
    processor.push_back(batch.ended.cpu_seconds);
  }
  measure.details = {{"peak MiB", median_of(memory)}, {"cpu s", median_of(processor)}};
  TRY(check_rows(plan, report, data, "batch_posts", posts));
  report.add(std::move(measure));
  return {};
}

// Posts to the stream of pins until told to stop, to see what freshness is under load.
class BackgroundLoad {
 public:
  explicit BackgroundLoad(std::uint16_t port)
      : thread_([this, port](std::stop_token stop) {
          result_ = run_load(port, {.connections = 16, .duration = seconds(120)}, *std::make_unique<Pins>(stop));
        }) {}
  Result<LoadResult> stop() {
    thread_.request_stop();
    thread_.join();
    return std::move(result_);
  }

 private:
  struct Pins final : Requests {
    explicit Pins(std::stop_token token) : stop(std::move(token)) {}
    bool next(std::string& out) override { return !stop.stop_requested() && pins.next(out); }
    std::stop_token stop;
    NumberedPins pins{kNames.stream(records::Kind::kPin), 1'000'000, 1};
  };
  Result<LoadResult> result_;
  std::jthread thread_;
};

// Milliseconds from each acknowledgement until the profile of the post can be asked for.
Result<std::vector<double>> fresh_profiles(std::uint16_t port, int posts, std::string_view prefix,
                                           std::int64_t first_ind) {
  const auto client = http::make_client({.host = "127.0.0.1", .port = port, .prefix = ""}, seconds(10));
  std::vector<double> times;
  for (int i = 0; i < posts; ++i) {
    const std::string profile = fmt::format("{}-{}", prefix, i);
    http::Request post;
    post.method = "PUT";
    post.target = "/streams/" + kNames.stream(records::Kind::kPin) + "/record";
    post.headers.add("Content-Type", "application/json");
    post.body = pin_for_stream(first_ind + i, profile);
    TRY_ASSIGN(const http::Response acknowledged, client->send(post));
    const auto begin = steady_clock::now();
    if (acknowledged.status != 200) return fail(ErrorCode::kUnavailable, "a post was refused: " + acknowledged.body);
    http::Request ask;
    ask.method = "GET";
    ask.target = "/live/profiles/" + profile;
    int status = 0;
    while (status != 200) {
      TRY_ASSIGN(const http::Response answer, client->send(ask));
      status = answer.status;
      if (seconds_since(begin) > 10) return fail(ErrorCode::kUnavailable, "a post was not visible within 10 s");
    }
    times.push_back(seconds_since(begin) * 1'000);
  }
  std::ranges::sort(times);
  return times;
}

void add_freshness(Report& report, std::string name, const std::vector<double>& times,
                   std::vector<std::pair<std::string, double>> more) {
  std::vector<std::pair<std::string, double>> details = {{"p50 ms", percentile(times, 0.5)},
                                                         {"p99 ms", percentile(times, 0.99)}};
  details.insert(details.end(), more.begin(), more.end());
  report.add({.name = std::move(name), .unit = "ms", .runs = {percentile(times, 0.99)}, .details = std::move(details)});
}

}  // namespace

Result<void> measure_start(const Plan& plan, Report& report) {
  Measure fresh{.name = "start until ready, new data folder", .unit = "ms", .runs = {}};
  Measure again{.name = "start until ready, folder of 30,000 posts", .unit = "ms", .runs = {}};
  const DataFolder full(plan, "start-full");
  {
    TRY_ASSIGN(Server server, Server::start(plan.program, full.path()));
    TRY(fill(server, 30'000, SyntheticLoad::To::kStreams));
    TRY(server.stop());
  }
  std::vector<double> memory;
  for (int run = 0; run < 10; ++run) {
    const DataFolder empty(plan, "start-empty");
    TRY_ASSIGN(Server first, Server::start(plan.program, empty.path()));
    fresh.runs.push_back(first.start_milliseconds());
    TRY_ASSIGN(const Ended ended, first.stop());
    memory.push_back(mebibytes(ended.peak_memory));
    TRY_ASSIGN(Server second, Server::start(plan.program, full.path()));
    again.runs.push_back(second.start_milliseconds());
    TRY(second.stop());
  }
  fresh.details = {{"idle peak MiB", median_of(memory)}};
  report.add(std::move(fresh));
  report.add(std::move(again));
  return {};
}

Result<void> measure_posting(const Plan& plan, Report& report) {
  const std::vector<PostingCase> cases = {{"one-record posts, fsync, 1 connection", 1, 1},
                                          {"one-record posts, fsync, 16 connections", 16, 1},
                                          {"one-record posts, fsync, 64 connections", 64, 1},
                                          {"posts of 100 records, fsync, 16 connections", 16, 100}};
  for (const PostingCase& what : cases) {
    Measure measure{.name = what.name, .unit = "records/s", .runs = {}};
    std::vector<double> p50, p99, memory;
    for (int run = 0; run < plan.runs; ++run) {
      TRY_ASSIGN(const PostingRun one, post_once(plan, report, what));
      measure.runs.push_back(one.records_per_second);
      p50.push_back(one.p50);
      p99.push_back(one.p99);
      memory.push_back(mebibytes(one.ended.peak_memory));
    }
    measure.details = {{"p50 ms", median_of(p50)}, {"p99 ms", median_of(p99)}, {"peak MiB", median_of(memory)}};
    report.add(std::move(measure));
  }
  return {};
}

Result<void> measure_stream(const Plan& plan, Report& report) {
  const std::int64_t posts = plan.small ? 20'000 : 200'000;
  const DataFolder data(plan, "stream");
  {
    TRY_ASSIGN(Server server, Server::start(plan.program, data.path()));
    TRY(fill(server, posts, SyntheticLoad::To::kStreams));
    TRY(server.stop());
  }
  Measure measure{.name = fmt::format("stream lane drains 3 x {} records", posts), .unit = "records/s", .runs = {}};
  std::vector<double> memory, processor;
  for (int run = 0; run < plan.runs; ++run) {
    Ended ended;
    TRY_ASSIGN(const double took, drain_once(plan, data, posts, ended));
    measure.runs.push_back(3 * static_cast<double>(posts) / took);
    memory.push_back(mebibytes(ended.peak_memory));
    processor.push_back(ended.cpu_seconds * 1e6 / (3 * static_cast<double>(posts)));
    for (const records::Kind kind : records::kKinds) TRY(check_rows(plan, report, data, kNames.table(kind), posts));
  }
  measure.details = {{"peak MiB", median_of(memory)}, {"cpu us a record", median_of(processor)}};
  report.add(std::move(measure));
  return {};
}

Result<void> measure_batch(const Plan& plan, Report& report) {
  TRY(measure_batch_of(plan, report, 11'154));
  if (!plan.small) TRY(measure_batch_of(plan, report, 1'000'000));
  return {};
}

Result<void> measure_freshness(const Plan& plan, Report& report) {
  const DataFolder data(plan, "freshness");
  TRY_ASSIGN(Server server, Server::start(plan.program, data.path()));
  TRY_ASSIGN(const auto quiet, fresh_profiles(server.port(), 100, "quiet", 0));
  add_freshness(report, "acknowledged post until live, 100 posts, p99", quiet, {});
  BackgroundLoad background(server.port());
  auto loaded = fresh_profiles(server.port(), 100, "loaded", 1'000);
  TRY_ASSIGN(const LoadResult load, background.stop());
  if (!loaded) return fail(std::move(loaded).error());
  add_freshness(report, "the same beside 16 posting connections, p99", *loaded,
                {{"posts/s beside", load.per_second()}});
  TRY(server.stop());
  return {};
}

// The core alone: what one question costs, without network.
Result<void> measure_ranking(const Plan& plan, Report& report) {
  live::LiveState state({});
  live::SourceState& source = state.follow({"streaming-pinterest-pin", log::PartitionId(0)}, Uuid());
  Random random(1);
  WallTime now{milliseconds(1'700'000'000'000)};
  for (std::int64_t i = 0; i < 500'000; ++i) {
    now += milliseconds(random.below(200));
    const auto who = i < 100'000 ? i : static_cast<std::int64_t>(100'000 * std::pow(random.unit(), 3));
    const std::string profile = fmt::format("profile number {}", who);
    state.apply(source, live::Pin{.ind = i,
                                  .profile = profile,
                                  .followers = static_cast<std::int64_t>(random.below(1'000'000)),
                                  .category = "travel",
                                  .time = now,
                                  .offset = i});
  }
  Measure measure{.name = "rank 100,000 profiles, give the first 1,000", .unit = "ms", .runs = {}};
  for (int run = 0; run < 10 * plan.runs; ++run) {
    now += milliseconds(1);
    const auto begin = steady_clock::now();
    const live::Body body = live::Answering(state.parts(), now).answer(live::ProfilesQuery{.k = 1'000});
    measure.runs.push_back(seconds_since(begin) * 1'000);
    if (std::get<live::ProfilesAnswer>(body).items.size() != 1'000)
      report.fail(measure.name, "did not give a thousand");
  }
  report.add(std::move(measure));
  return {};
}

}  // namespace pinflow::bench
