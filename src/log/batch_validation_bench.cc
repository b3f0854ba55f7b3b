#include <benchmark/benchmark.h>

#include "log/batch_validation.h"
#include "log/compression.h"
#include "log/crc32c.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

// A batch of about 100 KiB of records of `value_size` bytes.
std::string make_batch(std::size_t value_size, Codec codec) {
  std::string bytes;
  BatchBuilder builder(bytes, Offset(0), 0);
  for (int i = 0; builder.size() < (100 << 10); ++i) {
    std::string value = fmt::format("{{\"index\":{},\"text\":\"", i * 7919);
    while (value.size() < value_size) value += std::to_string(value.size() * static_cast<std::size_t>(i + 1));
    builder.add({fmt::format("key-{}", i), value, {}, std::nullopt}, WallTime(std::chrono::milliseconds(1000 + i)));
  }
  builder.finish();
  if (codec == Codec::kNone) return bytes;
  std::string packed;
  if (!compress(codec, std::string_view(bytes).substr(kBatchHeaderSize), packed)) return {};
  bytes.resize(kBatchHeaderSize);
  bytes += packed;
  bytes[22] = static_cast<char>(codec);
  store_big_endian<std::int32_t>(bytes.data() + 8, static_cast<std::int32_t>(bytes.size() - 12));
  store_big_endian<std::uint32_t>(bytes.data() + 17, crc32c(std::string_view(bytes).substr(21)));
  return bytes;
}

// Records a second through validate_batch; the first argument is the codec, the second the size of a value.
void validate(benchmark::State& state) {
  const auto codec = static_cast<Codec>(state.range(0));
  const std::string batch = make_batch(static_cast<std::size_t>(state.range(1)), codec);
  const TopicSettings settings = read_topic_settings({{"cleanup.policy", "compact"}}, {}).value();
  std::int64_t records = 0;
  for (auto _ : state) {
    const auto valid = validate_batch(batch, settings, WallTime(std::chrono::milliseconds(2000)));
    if (!valid) return state.SkipWithError(valid.error().message.c_str());
    records += valid->header.record_count;
  }
  state.SetLabel(std::string(codec_name(codec)));
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * batch.size()));
}
BENCHMARK(validate)->ArgsProduct({{0, 1, 2, 3, 4}, {100, 600}});

// The checksum alone: the floor.
void checksum(benchmark::State& state) {
  const std::string batch = make_batch(600, Codec::kNone);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(batch));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * batch.size()));
}
BENCHMARK(checksum);

}  // namespace
}  // namespace pinflow::log

BENCHMARK_MAIN();
