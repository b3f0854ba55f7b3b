#include <cstdlib>
#include <semaphore>

#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "base/logger.h"
#include "disk/real_disk.h"
#include "log/embedded_log.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

// About what a post is.
constexpr std::size_t kValueSize = 600;
constexpr int kInFlight = 64;

// A log in a fresh folder of the real disk, with one topic.
class BenchLog {
 public:
  explicit BenchLog(Durability durability, std::int64_t segment_bytes = 256 << 20) {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow_log_bench.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    options_.folder = name;
    options_.durability = durability;
    options_.topic_defaults.segment_bytes = segment_bytes;
    reopen();
    if (!log_->create_topic({"bench", 1, {}})) std::abort();
  }
  ~BenchLog() {
    log_.reset();
    std::filesystem::remove_all(options_.folder);
  }

  void reopen() {
    log_.reset();
    auto opened = open_embedded_log(options_, *disk_, clock_, logger_);
    if (!opened) std::abort();
    log_ = std::move(*opened);
  }
  Log& log() { return *log_; }

  // Keeps `kInFlight` calls of `batch` records under way until `calls` are answered.
  void produce(int calls, int batch) {
    std::counting_semaphore<kInFlight> room(kInFlight);
    for (int call = 0; call < calls; ++call) {
      std::vector<Record> records(static_cast<std::size_t>(batch),
                                  Record{std::nullopt, std::string(kValueSize, 'x'), {}, std::nullopt});
      room.acquire();
      log_->produce("bench", PartitionId(0), std::move(records), [&room](const auto& results) {
        if (!results.back()) std::abort();
        room.release();
      });
    }
    for (int i = 0; i < kInFlight; ++i) room.acquire();
  }

  // The same with a producer's batch as it is.
  void append(int calls, const std::string& batch) {
    std::counting_semaphore<kInFlight> room(kInFlight);
    for (int call = 0; call < calls; ++call) {
      room.acquire();
      log_->append_batch({{"bench", PartitionId(0)}, batch, nullptr}, [&room](const BatchResult& result) {
        if (!result) std::abort();
        room.release();
      });
    }
    for (int i = 0; i < kInFlight; ++i) room.acquire();
  }

 private:
  SystemClock clock_;
  NullLogger logger_;
  EmbeddedLogOptions options_;
  std::unique_ptr<disk::Disk> disk_ = disk::make_real_disk();
  std::unique_ptr<EmbeddedLog> log_;
};

void count(benchmark::State& state, std::int64_t records) {
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(records * static_cast<std::int64_t>(kValueSize));
}

// Arguments: records per call, durability.
void produce(benchmark::State& state) {
  BenchLog log(static_cast<Durability>(state.range(1)));
  const int batch = static_cast<int>(state.range(0));
  const int calls = batch == 1 ? 20'000 : 2'000;
  for (auto _ : state) log.produce(calls, batch);
  count(state, state.iterations() * calls * batch);
}
BENCHMARK(produce)
    ->ArgNames({"batch", "durability"})
    ->Args({1, 0})
    ->Args({100, 0})
    ->Args({1, 2})
    ->Args({100, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Arguments: records per batch, durability.
void append_batch(benchmark::State& state) {
  BenchLog log(static_cast<Durability>(state.range(1)));
  const int records = static_cast<int>(state.range(0));
  std::string bytes;
  BatchBuilder batch(bytes, Offset(0), -1);
  for (int i = 0; i < records; ++i)
    batch.add({std::nullopt, std::string(kValueSize, 'x'), {}, std::nullopt}, SystemClock().now());
  batch.finish();
  const int calls = records == 1 ? 20'000 : 4'000;
  for (auto _ : state) log.append(calls, bytes);
  count(state, state.iterations() * calls * records);
}
BENCHMARK(append_batch)
    ->ArgNames({"records", "durability"})
    ->Args({1, 0})
    ->Args({100, 0})
    ->Args({1, 2})
    ->Args({100, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// One record at a time, each waiting for its answer: the time of one commit.
void produce_and_wait(benchmark::State& state) {
  BenchLog log(Durability::kPower);
  for (auto _ : state) {
    std::binary_semaphore done(0);
    log.log().produce("bench", PartitionId(0), {{std::nullopt, std::string(kValueSize, 'x'), {}, std::nullopt}},
                      [&](const auto&) { done.release(); });
    done.acquire();
  }
  count(state, state.iterations());
}
BENCHMARK(produce_and_wait)->UseRealTime();

void fetch(benchmark::State& state) {
  constexpr int kCalls = 5'000;
  BenchLog log(Durability::kOs);
  log.produce(kCalls, 100);
  for (auto _ : state) {
    Offset next(0);
    while (next < Offset(kCalls * 100)) {
      FetchRequest request;
      request.positions = {{{"bench", PartitionId(0)}, next}};
      request.max_bytes = static_cast<std::size_t>(state.range(0));
      const auto fetched = log.log().fetch(request, {});
      if (!fetched || fetched->front().records.empty()) std::abort();
      next = fetched->front().records.back().offset + 1;
    }
  }
  count(state, state.iterations() * kCalls * 100);
}
BENCHMARK(fetch)->ArgName("max_bytes")->Arg(64 << 10)->Arg(4 << 20)->Unit(benchmark::kMillisecond)->UseRealTime();

void reopen(benchmark::State& state) {
  constexpr int kCalls = 10'000;
  BenchLog log(Durability::kOs, state.range(0) << 20);
  log.produce(kCalls, 100);
  for (auto _ : state) log.reopen();
  count(state, state.iterations() * kCalls * 100);
}
BENCHMARK(reopen)->ArgName("segment_MiB")->Arg(256)->Arg(4)->Unit(benchmark::kMillisecond)->UseRealTime();

void encode(benchmark::State& state) {
  const Record record{std::nullopt, std::string(kValueSize, 'x'), {}, std::nullopt};
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    BatchBuilder batch(bytes, Offset(0), 0);
    for (int i = 0; i < 400; ++i) batch.add(record, WallTime());
    batch.finish();
    benchmark::DoNotOptimize(bytes.data());
  }
  count(state, state.iterations() * 400);
}
BENCHMARK(encode);

}  // namespace
}  // namespace pinflow::log

BENCHMARK_MAIN();
