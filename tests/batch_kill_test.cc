// The daily batch is killed at random moments, alone and with a second run beside it, day after day, among objects that are none of the sink's.
// At each moment readers see one run whole, and in the end the tables are those of one run over all. $PINFLOW_BATCH_KILLS says how many
// kills (12).
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "batch/published.h"
#include "delta/check.h"
#include "delta/table.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "records/kind.h"
#include "running_pinflow.h"
#include "sink/object_name.h"

extern char** environ;

namespace pinflow::testing {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kFine = 0, kBusy = 5;

using Nanoseconds = std::chrono::nanoseconds;

// `pinflow batch run` as a child process.
class BatchProcess {
 public:
  explicit BatchProcess(const std::filesystem::path& data) {
    std::vector<std::string> words = {PINFLOW_PROGRAM, "batch", "run", "--quiet", "--data", data.string()};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const std::string err = data.string() + ".log";
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    EXPECT_EQ(::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  // Waits for the end, and kills it when its life is over before that. 128 + the signal where one ended it.
  int end(std::optional<Nanoseconds> life) {
    if (life) {
      const int ended = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
      EXPECT_GE(ended, 0);
      pollfd event{.fd = ended, .events = POLLIN, .revents = 0};
      const timespec patience{.tv_sec = life->count() / 1'000'000'000, .tv_nsec = life->count() % 1'000'000'000};
      if (::ppoll(&event, 1, &patience, nullptr) == 0) ::kill(pid_, SIGKILL);
      ::close(ended);
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

class BatchKills : public ::testing::Test {
 protected:
  BatchKills() : random_(seed()), disk_(disk::make_real_disk()), engine_(std::move(sql::open_engine({}).value())) {
    session_ = std::move(engine_->connect().value());
  }
  static std::uint64_t seed() {
    const char* text = std::getenv("PINFLOW_SEED");
    const std::uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : entropy_seed();
    fmt::print("PINFLOW_SEED={} repeats the plan of the kills\n", seed);
    return seed;
  }
  std::unique_ptr<objects::ObjectStore> store(const std::string& data, const char* part) {
    return std::move(objects::open_folder_store(*disk_, folder_ / data / part).value());
  }

  // New posts, changed ones and broken records in one or more objects of each of two partitions, the same in both data folders.
  void sink_day() {
    const auto killed = store("killed", "objects");
    const auto whole = store("whole", "objects");
    for (const records::Kind kind : records::kKinds) {
      for (std::int32_t partition = 0; partition < 2; ++partition) {
        const log::TopicPartition place{names_.topic(kind), log::PartitionId(partition)};
        const std::uint64_t objects = 1 + random_.below(3);
        for (std::uint64_t i = 0; i < objects; ++i) {
          std::string bytes;
          const std::int64_t lines = 1 + static_cast<std::int64_t>(random_.below(40));
          for (std::int64_t line = 0; line < lines; ++line) bytes += value(kind) + "\n";
          const std::string name = sink::object_name(place, log::Offset(next_offset_[place]));
          next_offset_[place] += lines;
          ASSERT_TRUE(killed->put_new(name, bytes));
          ASSERT_TRUE(whole->put_new(name, bytes));
        }
      }
    }
    // What others left between them.
    ASSERT_TRUE(killed->put(fmt::format("topics/pinterest.pin/partition=0/notes-{}.txt", day_), "not of the sink\n"));
    ASSERT_TRUE(killed->put("topics/pinterest.geo/partition=0/pinterest.geo+0+00.json.part", R"({"ind":1,)"));
    ++day_;
  }
  std::string value(records::Kind kind) {
    if (random_.chance(0.04)) return random_.chance(0.5) ? "no row" : R"({"ind":"x"})";
    const auto ind = random_.below(60 * static_cast<std::uint64_t>(day_ + 1));
    switch (kind) {
      case records::Kind::kPin:
        return fmt::format(R"({{"index":{},"title":"post {}","category":"c{}","follower_count":"{}k"}})", ind,
                           random_.below(1000), random_.below(9), random_.below(900));
      case records::Kind::kGeo:
        return fmt::format(R"({{"ind":{},"timestamp":"2022-01-{:02} 10:00:00","country":"Peru","latitude":1.5}})", ind,
                           1 + random_.below(28));
      case records::Kind::kUser:
        return fmt::format(R"({{"ind":{},"first_name":"A","last_name":"B{}","age":"{}"}})", ind, random_.below(20),
                           20 + random_.below(40));
    }
    return {};
  }

  // What readers of the publication see: each table in its version, whole.
  std::map<std::string, std::string> published(const std::string& data) {
    const auto tables = store(data, "tables");
    const auto publication = batch::read_publication(*tables);
    std::map<std::string, std::string> selects;
    if (!publication) {
      EXPECT_EQ(publication.error().code, ErrorCode::kNotFound) << publication.error().message;
      return selects;
    }
    for (const auto& [name, table] : publication->tables) {
      const auto snapshot = delta::read_snapshot(*tables, *engine_, name, table.version);
      EXPECT_TRUE(snapshot) << name << ": " << (snapshot ? "" : snapshot.error().message);
      if (!snapshot) continue;
      selects[name] = delta::select_all(*tables, name, *snapshot).value();
      EXPECT_EQ(count(selects[name]), table.rows) << name;
    }
    return selects;
  }
  std::int64_t count(const std::string& query) {
    const auto answer = session_->query("SELECT count(*) FROM (" + query + ")");
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::get<std::int64_t>(answer->rows[0][0].data) : -1;
  }

  // One life of a run, every third time with another one beside it. Whether one came to its end.
  bool live(std::optional<Nanoseconds> life) {
    BatchProcess one(folder_ / "killed");
    std::optional<BatchProcess> other;
    if (life && ++lives_ % 3 == 0) other.emplace(folder_ / "killed");
    bool done = ended_well(one.end(life));
    if (other) done = ended_well(other->end(std::nullopt)) || done;
    return done;
  }
  bool ended_well(int code) {
    if (code == kKilled) ++kills_;
    // The second of two says that another is at work.
    EXPECT_TRUE(code == kKilled || code == kFine || code == kBusy) << "a run ended with " << code;
    return code == kFine;
  }

  void expect_same() {
    const auto ours = published("killed");
    const auto theirs = published("whole");
    ASSERT_FALSE(ours.empty());
    for (const auto& [table, select] : ours) {
      SCOPED_TRACE(table);
      if (table.starts_with("batch_check")) continue;  // They tell of each run.
      ASSERT_TRUE(theirs.contains(table));
      // When an object was put is not the same in both folders.
      const std::string columns = table == "batch_dead_letters"
                                      ? "source_topic, source_partition, source_offset, reason"
                                      : "COLUMNS(c -> c != 'arrived_at')";
      const std::string one = fmt::format("SELECT {} FROM ({})", columns, select);
      const std::string whole = fmt::format("SELECT {} FROM ({})", columns, theirs.at(table));
      EXPECT_EQ(count(fmt::format("({}) EXCEPT ALL ({})", one, whole)), 0) << "rows that are too many";
      EXPECT_EQ(count(fmt::format("({}) EXCEPT ALL ({})", whole, one)), 0) << "rows that are lost";
      const auto report = delta::check_table(*store("killed", "tables"), *engine_, table);
      ASSERT_TRUE(report) << report.error().message;
      for (const auto& finding : report->findings) ADD_FAILURE() << finding.file << " " << finding.what;
    }
  }

  const records::Names names_;
  TemporaryFolder folder_;
  Random random_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  std::map<log::TopicPartition, std::int64_t> next_offset_;
  int day_ = 0, kills_ = 0, lives_ = 0;
};

TEST_F(BatchKills, LeaveTheTablesOfOneRunOverAll) {
  const char* text = std::getenv("PINFLOW_BATCH_KILLS");
  const int wanted = text != nullptr ? std::atoi(text) : 12;
  sink_day();
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(live(std::nullopt));
  const auto longest = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin) / Nanoseconds(1));
  while (kills_ < wanted && !HasFailure()) {
    sink_day();
    for (bool done = false; !done && !HasFailure();) {
      done = live(Nanoseconds(1 + random_.below(longest)));
      EXPECT_FALSE(published("killed").empty());
    }
  }
  ASSERT_TRUE(live(std::nullopt));
  ASSERT_EQ(BatchProcess(folder_ / "whole").end(std::nullopt), 0);
  expect_same();
  fmt::print("{} kills in {} days\n", kills_, day_);
}

}  // namespace
}  // namespace pinflow::testing
