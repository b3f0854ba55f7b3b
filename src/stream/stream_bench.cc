// Fills a log with synthetic posts and measures how fast the stream lane drains it: stream_bench [posts] [folder]. It drains it twice
// with one batch of a kind at a time and twice with two, in turns, each time into new tables, and prints records a second and the memory that
// each took at most; that all tables hold the same is checked. $BATCHES_AT_ONCE ("2" or "1,2,3") and $BATCH_RECORDS try others.
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <semaphore>
#include <sstream>

#include <fmt/core.h>

#include "base/check.h"
#include "delta/fingerprint.h"
#include "disk/real_disk.h"
#include "log/embedded_log.h"
#include "objects/folder_store.h"
#include "records/raw_batch.h"
#include "records/synthetic.h"
#include "stream/stream_lane.h"

namespace pinflow::stream {
namespace {

constexpr std::size_t kRecordsACall = 500;

void fill(log::Log& log, const records::Names& names, std::int64_t posts) {
  records::SyntheticPosts source({.seed = 1, .posts = posts});
  std::counting_semaphore<64> room(64);
  for (auto slice = source.next(kRecordsACall); slice.at(records::Kind::kPin).rows() > 0;
       slice = source.next(kRecordsACall)) {
    for (const auto& [kind, batch] : slice) {
      std::vector<log::Record> records(batch.rows());
      for (std::size_t row = 0; row < batch.rows(); ++row)
        records::append_json_record(records[row].value.emplace(), batch, row);
      room.acquire();
      log.produce(names.stream(kind), log::PartitionId(0), std::move(records), [&room](const auto& results) {
        CHECK(results.back().has_value(), "the log takes the posts");
        room.release();
      });
    }
  }
  for (int i = 0; i < 64; ++i) room.acquire();
}

double seconds_since(SteadyTime begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The most memory that the process took since the last call, in MiB; the kernel counts anew then.
std::uint64_t peak_memory() {
  std::uint64_t peak = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) peak = std::strtoull(line.c_str() + 6, nullptr, 10) / 1024;
  }
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak;
}

// What a run left in its tables, all but their versions.
std::string contents(objects::ObjectStore& store, sql::Engine& engine) {
  std::string all;
  for (const records::Kind kind : records::kKinds) {
    const std::string line = delta::fingerprint(store, engine, records::Names{}.table(kind)).value();
    all += line.substr(line.find("\"rows\"")) + "\n";
  }
  return all;
}

struct Bench {
  disk::Disk& disk;
  const Clock& clock;
  Logger& logger;
  log::Log& log;
  const std::filesystem::path& folder;
  std::int64_t posts;

  // Drains the log into new tables and gives what is in them.
  Result<std::string> drain(StreamOptions options, int run) {
    const auto store = std::move(*objects::open_folder_store(disk, folder / fmt::format("tables-{}", run)));
    const auto engine = std::move(*sql::open_engine({}));
    const auto statements = *sql::Statements::load(std::nullopt);
    Random random(1);
    (void)peak_memory();
    const SteadyTime draining = clock.steady_now();
    const std::clock_t cpu = std::clock();
    std::uint64_t commits = 0;
    {
      StreamLane lane(options, {log, *store, *engine, statements, clock, logger}, random);
      TRY(lane.wait_until_caught_up(std::chrono::minutes(10), {}));
      for (const TableStatus& table : lane.status()) commits += table.commits;
    }
    const double seconds = seconds_since(draining);
    const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    fmt::print(
        "{} at once: drained {} records in {:.2f} s ({:.2f} s of CPU, {} MiB at most, {} commits): {:.0f} records/s\n",
        options.batches_at_once, posts * 3, seconds, cpu_seconds, peak_memory(), commits,
        static_cast<double>(posts * 3) / seconds);
    return contents(*store, *engine);
  }
};

std::vector<std::size_t> batches_to_try() {
  std::vector<std::size_t> all;
  const char* text = std::getenv("BATCHES_AT_ONCE");
  std::istringstream words(text != nullptr ? text : "1,2,1,2");
  for (std::string word; std::getline(words, word, ',');) all.push_back(std::strtoull(word.c_str(), nullptr, 10));
  return all;
}

int run(std::int64_t posts, const std::filesystem::path& folder) {
  const auto disk = disk::make_real_disk();
  const SystemClock clock;
  StreamLogger logger(clock, stderr, Severity::kWarning, StreamLogger::Format::kText);
  CHECK(disk->create_folders(folder / "log").has_value(), "the folder can be made");
  const auto log = std::move(*log::open_embedded_log({.folder = folder / "log"}, *disk, clock, logger));
  StreamOptions options{.pipeline_id = "bench"};
  if (const char* text = std::getenv("BATCH_RECORDS")) options.max_batch_records = std::atoll(text);
  for (const records::Kind kind : records::kKinds)
    CHECK(log->create_topic({options.names.stream(kind), 1, {}}).has_value(), "a new log");

  const SteadyTime filling = clock.steady_now();
  fill(*log, options.names, posts);
  fmt::print("filled {} records in {:.2f} s\n", posts * 3, seconds_since(filling));

  Bench bench{*disk, clock, logger, *log, folder, posts};
  std::string first;
  int runs = 0;
  for (const std::size_t batches : batches_to_try()) {
    options.batches_at_once = batches;
    const auto contents = bench.drain(options, runs++);
    if (!contents || (!first.empty() && *contents != first)) {
      fmt::print(stderr, "{}\n", contents ? "the tables of two runs differ" : contents.error().message);
      return 1;
    }
    first = *contents;
  }
  fmt::print("{} runs left the same tables\n", runs);
  return 0;
}

}  // namespace
}  // namespace pinflow::stream

int main(int argc, char** argv) {
  const std::int64_t posts = argc > 1 ? std::atoll(argv[1]) : 333'334;
  const bool own = argc <= 2;
  std::string name = (std::filesystem::temp_directory_path() / "pinflow_stream_bench_XXXXXX").string();
  CHECK(!own || mkdtemp(name.data()) != nullptr, "the temporary folder can be made");
  const std::filesystem::path folder = own ? std::filesystem::path(name) : std::filesystem::path(argv[2]);
  const int code = pinflow::stream::run(posts, folder);
  if (own) std::filesystem::remove_all(folder);
  return code;
}
