// Fills a log with synthetic posts and measures how fast the stream lane drains it:
// stream_bench [posts] [folder]. Prints records a second, in all and by table. $BATCHES_AT_ONCE and $BATCH_RECORDS try other options.
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <semaphore>

#include <fmt/core.h>

#include "base/check.h"
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

int run(std::int64_t posts, const std::filesystem::path& folder) {
  const auto disk = disk::make_real_disk();
  const SystemClock clock;
  StreamLogger logger(clock, stderr, Severity::kWarning, StreamLogger::Format::kText);
  Random random(1);
  CHECK(disk->create_folders(folder / "log").has_value(), "the folder can be made");
  const auto log = std::move(*log::open_embedded_log({.folder = folder / "log"}, *disk, clock, logger));
  const auto store = std::move(*objects::open_folder_store(*disk, folder / "tables"));
  const auto engine = std::move(*sql::open_engine({}));
  const auto statements = *sql::Statements::load(std::nullopt);
  StreamOptions options{.pipeline_id = "bench"};
  if (const char* text = std::getenv("BATCHES_AT_ONCE")) options.batches_at_once = std::strtoull(text, nullptr, 10);
  if (const char* text = std::getenv("BATCH_RECORDS")) options.max_batch_records = std::atoll(text);
  for (const records::Kind kind : records::kKinds)
    CHECK(log->create_topic({options.names.stream(kind), 1, {}}).has_value(), "a new log");

  const SteadyTime filling = clock.steady_now();
  fill(*log, options.names, posts);
  fmt::print("filled {} records in {:.2f} s\n", posts * 3, seconds_since(filling));

  const SteadyTime draining = clock.steady_now();
  const std::clock_t cpu = std::clock();
  StreamLane lane(options, {*log, *store, *engine, statements, clock, logger}, random);
  const auto caught_up = lane.wait_until_caught_up(std::chrono::minutes(10), {});
  const double seconds = seconds_since(draining);
  const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  if (!caught_up) {
    fmt::print(stderr, "{}\n", caught_up.error().message);
    return 1;
  }
  for (const TableStatus& table : lane.status()) {
    fmt::print("{}: {} rows, {} files, {} commits, {} dead letters\n", table.table, table.rows, table.files,
               table.commits, table.dead_letters);
  }
  fmt::print("drained {} records in {:.2f} s ({:.2f} s of CPU): {:.0f} records/s\n", posts * 3, seconds, cpu_seconds,
             static_cast<double>(posts * 3) / seconds);
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
