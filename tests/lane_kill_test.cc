// The stream lane is killed at every step and at random moments, alone and with a twin on the same tables, until all is in them. Then the tables
// hold the rows of an undisturbed run, all columns alike, and are sound; and the live metrics that ran beside, killed with it, have the
// same state and give the same answers. So are a replay and the putting together of small files killed. $PINFLOW_LANE_KILLS says how many kills (20).
#include <cstdlib>
#include <fcntl.h>
#include <latch>
#include <map>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "delta/check.h"
#include "delta/table.h"
#include "disk/real_disk.h"
#include "live/checkpoint.h"
#include "log/embedded_log.h"
#include "objects/folder_store.h"
#include "records/kind.h"
#include "running_pinflow.h"
#include "stream/stream_lane.h"

extern char** environ;

namespace pinflow::testing {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kRecords = 700;  // Of each kind.

pid_t start(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
  EXPECT_EQ(failed, 0) << words[0];
  return pid;
}

int end_of(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class LaneKills : public ::testing::Test {
 protected:
  LaneKills() : random_(seed()) {
    disk_ = disk::make_real_disk();
    engine_ = std::move(sql::open_engine({}).value());
    session_ = std::move(engine_->connect().value());
    fill();
  }
  static std::uint64_t seed() {
    const char* text = std::getenv("PINFLOW_SEED");
    const std::uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : entropy_seed();
    fmt::print("PINFLOW_SEED={} repeats the plan of the kills\n", seed);
    return seed;
  }

  // Posts that come again and out of order, over two partitions, with some that are no rows. Repeats of a post lie in one partition, as
  // the state of the live metrics wants it.
  void fill() {
    SystemClock clock;
    NullLogger logger;
    const auto log = std::move(
        log::open_embedded_log({.folder = log_folder(), .durability = log::Durability::kOs}, *disk_, clock, logger)
            .value());
    for (const records::Kind kind : records::kKinds) {
      const std::string stream = names_.stream(kind);
      ASSERT_TRUE(log->create_topic({stream, 2, {}}));
      for (std::int32_t partition = 0; partition < 2; ++partition) {
        std::vector<log::Record> records;
        for (int i = 0; i < kRecords / 2; ++i) records.push_back({{}, value(kind, partition), {}, {}});
        std::latch done(1);
        log->produce(stream, log::PartitionId(partition), std::move(records), [&](const auto& results) {
          EXPECT_TRUE(results.back());
          done.count_down();
        });
        done.wait();
      }
    }
  }
  std::string value(records::Kind kind, std::int32_t partition) {
    if (random_.chance(0.04)) return random_.chance(0.5) ? "no row" : R"({"ind":"x"})";
    const auto ind = 2 * random_.below(kRecords / 6) + static_cast<std::uint64_t>(partition);
    switch (kind) {
      case records::Kind::kPin:
        return fmt::format(
            R"({{"index":{},"title":"post {}","follower_count":"{}k","poster_name":"profile {}","category":"{}"}})",
            ind, random_.below(1000), random_.below(900), random_.below(20), random_.chance(0.5) ? "art" : "travel");
      case records::Kind::kGeo:
        return fmt::format(
            R"({{"ind":{},"timestamp":"2022-01-{:02} 10:00:00","latitude":1.5,"longitude":{},"country":"Country {}"}})",
            ind, 1 + random_.below(28), random_.below(90), random_.below(7));
      case records::Kind::kUser:
        return fmt::format(R"({{"ind":{},"first_name":"A","last_name":"B","age":"{}"}})", ind, 20 + random_.below(40));
    }
    return {};
  }

  disk::Path log_folder() const { return folder_ / "log"; }
  disk::Path tables_folder(const std::string& name) const { return folder_ / ("tables-" + name); }
  disk::Path live_folder(const std::string& name) const { return folder_ / ("live-" + name); }
  std::vector<std::string> table_names() const {
    std::vector<std::string> names{"dead_letters"};
    for (const records::Kind kind : records::kKinds) names.push_back(names_.table(kind));
    return names;
  }

  // One life of so many processes at once on the same tables, each with its death in the plan; beside the first lane run live metrics.
  // Whether one of them came to the end: the first, where it has live metrics.
  bool live(const std::string& tables, const std::vector<std::vector<std::string>>& deaths,
            const std::string& what = "lane") {
    std::vector<pid_t> pids;
    const bool metrics = what == "lane";
    for (const auto& death : deaths) {
      std::vector<std::string> words{LANE_PROCESS, what, log_folder().string(), tables_folder(tables).string()};
      if (metrics && pids.empty()) words.insert(words.end(), {"--live", live_folder(tables).string()});
      words.insert(words.end(), death.begin(), death.end());
      pids.push_back(start(words));
    }
    bool done = false;
    for (std::size_t i = 0; i < pids.size(); ++i) {
      const int code = end_of(pids[i]);
      if (code == kKilled) {
        ++kills_;
        ++killed_at_[deaths[i].at(0) == "--die" ? deaths[i].at(1).substr(0, deaths[i].at(1).rfind(':')) : "any moment"];
      } else if (code == 0) {
        done = done || !metrics || i == 0;
      } else {
        ADD_FAILURE() << "a lane ended with " << code;
        done = true;
      }
    }
    return done;
  }

  // A step in turn, or a moment, each half the time.
  std::vector<std::string> next_death() {
    if (turn_++ % 3 == 2) return {"--die-after", std::to_string(1 + random_.below(kLongestLife))};
    std::vector<std::string> steps;
    for (const stream::Step step : stream::kSteps) steps.emplace_back(to_string(step));
    for (const char* call : {"put", "put_new", "put_file", "remove"}) {
      steps.emplace_back(fmt::format("before {}", call));
      steps.emplace_back(call);
    }
    const std::string& step = steps[step_++ % steps.size()];
    // What is done seldom would else not come up before the end.
    const bool seldom = step == "position set" || step == "looked after" || step.ends_with("remove") || step == "put" ||
                        step == "before put";
    return {"--die", fmt::format("{}:{}", step, 1 + random_.below(seldom ? 2 : 9))};
  }

  std::string select(const std::string& tables, const std::string& table) {
    const auto store = std::move(objects::open_folder_store(*disk_, tables_folder(tables)).value());
    const auto snapshot = delta::read_snapshot(*store, *engine_, table);
    EXPECT_TRUE(snapshot) << table << ": " << snapshot.error().message;
    return snapshot ? delta::select_all(*store, table, *snapshot).value() : "SELECT 1";
  }
  std::int64_t count(const std::string& query) {
    const auto answer = session_->query("SELECT count(*) FROM (" + query + ")");
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::get<std::int64_t>(answer->rows[0][0].data) : -1;
  }
  void expect_same(const std::string& tables, const std::string& undisturbed) {
    for (const std::string& table : table_names()) expect_same_table(table, tables, undisturbed);
  }
  void expect_same_table(const std::string& table, const std::string& tables, const std::string& undisturbed) {
    SCOPED_TRACE(table);
    const std::string one = select(tables, table);
    const std::string other = select(undisturbed, table);
    EXPECT_EQ(count(fmt::format("({}) EXCEPT ALL ({})", one, other)), 0) << "rows that are too many";
    EXPECT_EQ(count(fmt::format("({}) EXCEPT ALL ({})", other, one)), 0) << "rows that are lost";
    const auto store = std::move(objects::open_folder_store(*disk_, tables_folder(tables)).value());
    const auto report = delta::check_table(*store, *engine_, table);
    ASSERT_TRUE(report) << report.error().message;
    for (const auto& finding : report->findings) ADD_FAILURE() << finding.file << " " << finding.what;
  }
  std::string bytes_of(const disk::Path& path) {
    auto bytes = disk_->read_file(path);
    EXPECT_TRUE(bytes) << path;
    return bytes ? *bytes : "";
  }
  void expect_same_live(const std::string& killed, const std::string& undisturbed) {
    EXPECT_EQ(bytes_of(live_folder(killed) / "answers.json"), bytes_of(live_folder(undisturbed) / "answers.json"));
    EXPECT_TRUE(bytes_of(live_folder(killed) / live::kCheckpointName) ==
                bytes_of(live_folder(undisturbed) / live::kCheckpointName))
        << "the states are equal bit for bit";
  }
  std::uint64_t files_of(const std::string& table, const std::string& tables) {
    const auto store = std::move(objects::open_folder_store(*disk_, tables_folder(tables)).value());
    return delta::read_snapshot(*store, *engine_, table).value().files.size();
  }

  static constexpr std::uint64_t kLongestLife = 1'500'000;  // Microseconds.
  const records::Names names_;
  TemporaryFolder folder_;
  Random random_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  int kills_ = 0;
  std::uint64_t turn_ = 0, step_ = 0, lives_ = 0;
  std::map<std::string, int> killed_at_;
};

TEST_F(LaneKills, LeaveTheTablesOfAnUndisturbedRun) {
  const char* text = std::getenv("PINFLOW_LANE_KILLS");
  const int wanted = text != nullptr ? std::atoi(text) : 20;
  ASSERT_TRUE(live("undisturbed", {{}}));
  EXPECT_NE(bytes_of(live_folder("undisturbed") / "answers.json").find("profile 3"), std::string::npos);
  std::int64_t records = 0;
  for (const std::string& table : table_names()) records += count(select("undisturbed", table));
  EXPECT_EQ(records, 3 * (kRecords - 2 * 3)) << "all from offset 3 of each partition on";
  for (int round = 0; kills_ < wanted; ++round) {
    const std::string tables = fmt::format("killed-{}", round);
    for (bool done = false; !done && !HasFailure();) {
      std::vector<std::vector<std::string>> deaths{next_death()};
      if (lives_++ % 2 == 1) deaths.push_back(next_death());  // Twins, every other time.
      if (kills_ >= wanted) deaths.assign(1, {});
      done = live(tables, deaths);
    }
    ASSERT_FALSE(HasFailure());
    expect_same(tables, "undisturbed");
    expect_same_live(tables, "undisturbed");
    ASSERT_FALSE(HasFailure()) << "round " << round;
    std::filesystem::remove_all(tables_folder(tables));
    std::filesystem::remove_all(live_folder(tables));
  }
  for (const auto& [step, kills] : killed_at_) fmt::print("{:>4} kills at: {}\n", kills, step);
}

TEST_F(LaneKills, LeaveTheTableOfAnUndisturbedReplay) {
  ASSERT_TRUE(live("undisturbed", {{}}, "replay"));
  EXPECT_EQ(count(select("undisturbed", "replayed")) + count(select("undisturbed", "replayed_dead_letters")), 2 * 280);
  // Each life dies some steps later than the one before, until one does not.
  for (const char* step : {"position set", "rows written", "dead letters committed", "rows committed", "put_new"}) {
    const std::string tables = fmt::format("replay-{}", step);
    int lives = 1;
    while (!live(tables, {{"--die", fmt::format("{}:{}", step, lives)}}, "replay") && !HasFailure()) lives += 4;
    EXPECT_GT(lives, 1) << step << " kills nobody";
    for (const char* table : {"replayed", "replayed_dead_letters"}) expect_same_table(table, tables, "undisturbed");
    ASSERT_FALSE(HasFailure()) << step;
  }
}

TEST_F(LaneKills, LeaveATableWhoseFilesArePutTogetherAsItWas) {
  ASSERT_TRUE(live("untidy", {{}}, "untidy"));
  const std::string table = names_.table(records::Kind::kPin);
  EXPECT_GT(files_of(table, "untidy"), 10u);
  for (const char* call : {"put_file", "put_new"}) {
    for (const std::string& step : {fmt::format("before {}", call), std::string(call)}) {
      SCOPED_TRACE(step);
      std::filesystem::copy(tables_folder("untidy"), tables_folder(step), std::filesystem::copy_options::recursive);
      ASSERT_FALSE(live(step, {{"--die", step + ":1"}}, "optimize")) << "it kills nobody";
      expect_same_table(table, step, "untidy");
      ASSERT_TRUE(live(step, {{}}, "optimize"));
      expect_same_table(table, step, "untidy");
      EXPECT_LT(files_of(table, step), 5u);
    }
  }
}

}  // namespace
}  // namespace pinflow::testing
