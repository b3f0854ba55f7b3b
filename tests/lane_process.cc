// The stream lane alone as a process that can be told when to die: lane_process LOG TABLES [--die STEP:N | --die-after MICROSECONDS].
// It reads a log that nobody writes, so any number of them may work on the same tables. It ends with 0 when all is in the tables; STEP:N is
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
#include "disk/real_disk.h"
#include "log/embedded_log.h"
#include "objects/folder_store.h"
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

int run(const disk::Path& log_folder, const disk::Path& tables, Death& death, std::int64_t microseconds) {
  const auto disk = disk::make_real_disk();
  const SystemClock clock;
  StreamLogger logger(clock, stderr, Severity::kError, StreamLogger::Format::kText);
  Random random(entropy_seed());
  log::EmbeddedLogOptions log_options;
  log_options.folder = log_folder;
  log_options.read_only = true;
  const auto log = std::move(log::open_embedded_log(log_options, *disk, clock, logger).value());
  const auto folder = std::move(objects::open_folder_store(*disk, tables).value());
  MortalStore store(*folder, death);
  const auto engine = std::move(sql::open_engine({.memory_limit = ByteCount(std::uint64_t{512} << 20)}).value());
  const auto statements = sql::Statements::load(std::nullopt).value();
  stream::StreamOptions options{.pipeline_id = "kill"};
  options.commit_interval = options.max_commit_interval = std::chrono::milliseconds(1);
  options.max_batch_records = 25;
  options.checkpoint_interval = 7;
  options.optimize_interval = std::chrono::milliseconds(40);
  options.start = log::Offset(3);
  stream::StreamContext context{*log, store, *engine, statements, clock, logger};
  context.after_step = [&](stream::Step step) { death.pass(to_string(step)); };
  if (microseconds > 0) die_after(microseconds);
  stream::StreamLane lane(options, context, random);
  const auto done = lane.wait_until_caught_up(std::chrono::minutes(2), {});
  if (!done) fmt::print(stderr, "{}\n", done.error().message);
  return done ? 0 : 1;
}

}  // namespace
}  // namespace pinflow::testing

int main(int argc, char** argv) {
  CHECK(argc == 3 || argc == 5, "LOG TABLES [--die STEP:N | --die-after MICROSECONDS]");
  pinflow::testing::Death death;
  std::int64_t microseconds = 0;
  if (argc == 5) {
    const std::string how = argv[3];
    const std::string what = argv[4];
    if (how == "--die-after") {
      microseconds = std::atoll(what.c_str());
    } else {
      const std::size_t colon = what.rfind(':');
      death.set(what.substr(0, colon), std::atoi(what.c_str() + colon + 1));
    }
  }
  return pinflow::testing::run(argv[1], argv[2], death, microseconds);
}
