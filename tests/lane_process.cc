// Parts of the stream lane as a process that can be told when to die: lane_process WHAT LOG TABLES [--live FOLDER]
// [--die STEP:N | --die-after MICROSECONDS]. WHAT is
//   lane      the lane with its upkeep, until all that is in the log is in the tables
//   untidy    the same without upkeep: small files stay
//   replay    a past range of the pins into the table "replayed"
//   optimize  the small files of the pins' table put together
// With --live the live metrics run beside it, saving their state in the folder all the time; at the end their answers lie there too.
// It reads a log that nobody writes, so any number of them may work on the same tables. It ends with 0 when all is done; STEP:N is
// the Nth time that a step is done, counted over all threads: one of stream::Step, or of a call to the store ("put_new" once a
// commit's name is there, "before put_new" when it is not yet).
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>
#include <unistd.h>

#include <fmt/core.h>

#include "base/check.h"
#include "delta/maintenance.h"
#include "disk/real_disk.h"
#include "live/answer_json.h"
#include "live/live_metrics.h"
#include "log/embedded_log.h"
#include "objects/folder_store.h"
#include "stream/replay.h"
#include "stream/stream_lane.h"

namespace pinflow::testing {
namespace {

// Kills the process at one step, as often as it was told.
class Death {
 public:
  void set(std::string step, int times) {
    step_ = std::move(step);
    left_ = times;
  }
  void pass(std::string_view step) {
    if (step == step_ && --left_ == 0) ::kill(::getpid(), SIGKILL);
  }

 private:
  std::string step_;
  std::atomic<int> left_{0};
};

// Whatever it does at that moment, on whichever thread.
void die_after(std::int64_t microseconds) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  CHECK(::timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "a timer can be made");
  itimerspec when{};
  when.it_value.tv_sec = microseconds / 1'000'000;
  when.it_value.tv_nsec = microseconds % 1'000'000 * 1'000;
  CHECK(::timer_settime(timer, 0, &when, nullptr) == 0, "the timer can be set");
}

class MortalStore final : public objects::ObjectStore {
 public:
  MortalStore(objects::ObjectStore& inner, Death& death) : inner_(inner), death_(death) {}
  Result<void> put(const std::string& name, std::string_view bytes) override {
    return around("before put", "put", [&] { return inner_.put(name, bytes); });
  }
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    return around("before put_new", "put_new", [&] { return inner_.put_new(name, bytes); });
  }
  Result<void> put_file(const std::string& name, const disk::Path& local) override {
    return around("before put_file", "put_file", [&] { return inner_.put_file(name, local); });
  }
  Result<void> remove(const std::string& name) override {
    return around("before remove", "remove", [&] { return inner_.remove(name); });
  }
  Result<std::string> get(const std::string& name) override { return inner_.get(name); }
  Result<objects::ObjectInfo> describe(const std::string& name) override { return inner_.describe(name); }
  Result<std::vector<objects::ObjectInfo>> list(const std::string& prefix, const std::string& after,
                                                std::size_t limit) override {
    return inner_.list(prefix, after, limit);
  }
  Result<disk::Path> local_copy(const std::string& name) override { return inner_.local_copy(name); }
  Result<disk::Path> scratch(std::string_view suffix) override { return inner_.scratch(suffix); }

 private:
  template <class Call>
  Result<void> around(std::string_view before, std::string_view after, Call call) {
    death_.pass(before);
    auto result = call();
    death_.pass(after);
    return result;
  }
  objects::ObjectStore& inner_;
  Death& death_;
};

// Its time stands still where it is set, so that answers are made for the same moment in every process.
class StandingClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(std::chrono::milliseconds(milliseconds_)); }
  SteadyTime steady_now() const override { return real_.steady_now(); }
  void set(WallTime time) {
    milliseconds_ = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  }

 private:
  static constexpr std::int64_t kLaterThanAnyRecord = 4'102'444'800'000;  // The year 2100.
  const SystemClock real_;
  std::atomic<std::int64_t> milliseconds_{kLaterThanAnyRecord};
};

std::vector<live::Query> questions() {
  std::vector<live::Query> all;
  for (const auto order : {live::ProfileOrder::kPopularity, live::ProfileOrder::kActivity,
                           live::ProfileOrder::kFollowers, live::ProfileOrder::kVelocity, live::ProfileOrder::kPosts}) {
    all.emplace_back(live::ProfilesQuery{.order = order, .k = 50});
  }
  all.emplace_back(live::ProfilesQuery{.order = live::ProfileOrder::kPosts, .k = 50, .category = "art"});
  all.emplace_back(live::ProfilesQuery{.order = live::ProfileOrder::kPosts, .k = 50, .country = "Country 3"});
  all.emplace_back(live::ProfileQuery{"profile 3"});
  for (const auto order : {live::CategoryOrder::kTrend, live::CategoryOrder::kPosts}) {
    all.emplace_back(live::CategoriesQuery{.order = order});
  }
  all.emplace_back(live::CountriesQuery{});
  all.emplace_back(live::AgeGroupsQuery{});
  all.emplace_back(live::MinutesQuery{});
  all.emplace_back(live::RecommendationsQuery{.category = "travel"});
  return all;
}

// Live metrics over the same log, beside whatever else the process does.
class Live {
 public:
  Live(const disk::Path& folder, log::Log& log, disk::Disk& disk, Logger& logger)
      : folder_(folder), log_(log), disk_(disk) {
    live::LiveOptions options;
    for (const records::Kind kind : records::kKinds) options.topics.push_back(records::Names{}.stream(kind));
    options.checkpoint =
        live::CheckpointOptions{.folder = folder, .interval = std::chrono::milliseconds(3), .records = 20};
    metrics_ = std::make_unique<live::LiveMetrics>(options, log, disk, clock_, logger);
  }
  // Waits for the end of the log, saves the state and answers all questions.
  void finish() {
    for (const records::Kind kind : records::kKinds) {
      const std::string stream = records::Names{}.stream(kind);
      for (std::int32_t id = 0; id < log_.topic(stream)->partitions; ++id) {
        const log::TopicPartition partition{stream, log::PartitionId(id)};
        CHECK(metrics_->wait_until(partition, log_.offsets(partition)->end, std::chrono::minutes(2)),
              "the log is read");
      }
    }
    metrics_->stop();
    WallTime newest{};
    for (const auto& partition : metrics_->status().partitions) newest = std::max(newest, partition.newest.value());
    clock_.set(newest + std::chrono::seconds(30));
    std::string answers;
    for (const live::Query& query : questions()) answers += live::item_json(query, metrics_->answer(query)) + "\n";
    CHECK(disk_.write_file(folder_ / "answers.json", answers).has_value(), "the answers can be written");
  }

 private:
  const disk::Path folder_;
  log::Log& log_;
  disk::Disk& disk_;
  StandingClock clock_;
  std::unique_ptr<live::LiveMetrics> metrics_;
};

struct Order {
  std::string what;
  disk::Path log, tables;
  std::optional<disk::Path> live;
  std::int64_t die_after = 0;  // Microseconds; 0: not so.
};

stream::StreamOptions lane_options(const std::string& what) {
  stream::StreamOptions options{.pipeline_id = "kill"};
  options.commit_interval = options.max_commit_interval = std::chrono::milliseconds(1);
  options.max_batch_records = 25;
  options.checkpoint_interval = 7;
  options.optimize_interval = std::chrono::milliseconds(what == "untidy" ? 0 : 40);
  options.start = log::Offset(3);
  return options;
}

Result<void> optimize(const stream::StreamContext& context, Random& random) {
  const std::string name = records::Names{}.table(records::Kind::kPin);
  const delta::TableContext tables{context.tables, context.engine, context.clock, random, context.logger};
  TRY_ASSIGN(const auto snapshot, delta::read_snapshot(context.tables, context.engine, name));
  TRY_ASSIGN(const auto table,
             delta::open_table(tables, {.name = name, .schema = snapshot.schema, .checkpoint_interval = 5}));
  TRY(delta::optimize(*table, tables, name, {.least_files = 2}));
  return {};
}

Result<void> work(const Order& order, const stream::StreamContext& context, Random& random) {
  stream::StreamOptions options = lane_options(order.what);
  if (order.what == "optimize") return optimize(context, random);
  if (order.what == "replay") {
    const stream::ReplayOptions range{
        .from = log::Offset(20), .to = log::Offset(300), .range = "20..300", .into = "replayed"};
    TRY(stream::replay(range, options, context, Random(random()), {}));
    return {};
  }
  stream::StreamLane lane(options, context, random);
  return lane.wait_until_caught_up(std::chrono::minutes(2), {});
}

int run(const Order& order, Death& death) {
  const auto disk = disk::make_real_disk();
  const SystemClock clock;
  StreamLogger logger(clock, stderr, Severity::kError, StreamLogger::Format::kText);
  Random random(entropy_seed());
  log::EmbeddedLogOptions log_options;
  log_options.folder = order.log;
  log_options.read_only = true;
  const auto log = std::move(log::open_embedded_log(log_options, *disk, clock, logger).value());
  const auto folder = std::move(objects::open_folder_store(*disk, order.tables).value());
  MortalStore store(*folder, death);
  const auto engine = std::move(sql::open_engine({.memory_limit = ByteCount(std::uint64_t{512} << 20)}).value());
  const auto statements = sql::Statements::load(std::nullopt).value();
  stream::StreamContext context{*log, store, *engine, statements, clock, logger};
  context.after_step = [&](stream::Step step) { death.pass(to_string(step)); };
  if (order.die_after > 0) die_after(order.die_after);
  std::optional<Live> live;
  if (order.live) live.emplace(*order.live, *log, *disk, logger);
  const auto done = work(order, context, random);
  if (!done) fmt::print(stderr, "{}\n", done.error().message);
  if (live) live->finish();
  return done ? 0 : 1;
}

}  // namespace
}  // namespace pinflow::testing

int main(int argc, char** argv) {
  CHECK(argc >= 4 && argc % 2 == 0, "WHAT LOG TABLES [--live FOLDER] [--die STEP:N | --die-after MICROSECONDS]");
  pinflow::testing::Death death;
  pinflow::testing::Order order{.what = argv[1], .log = argv[2], .tables = argv[3], .live = {}};
  for (int i = 4; i < argc; i += 2) {
    const std::string option = argv[i];
    const std::string value = argv[i + 1];
    if (option == "--live") {
      order.live = value;
    } else if (option == "--die-after") {
      order.die_after = std::atoll(value.c_str());
    } else {
      const std::size_t colon = value.rfind(':');
      death.set(value.substr(0, colon), std::atoi(value.c_str() + colon + 1));
    }
  }
  return pinflow::testing::run(order, death);
}
