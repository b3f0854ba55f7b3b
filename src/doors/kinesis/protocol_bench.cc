// How fast bodies of 500 records of 1 KiB are read and written. Bytes are those of the body on the wire.

#include <benchmark/benchmark.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/random.h"
#include "doors/kinesis/input.h"

namespace pinflow::doors::kinesis {
namespace {

constexpr std::size_t kRecords = 500;

std::vector<std::string> make_records() {
  Random random(1);
  std::vector<std::string> out(kRecords, std::string(1024, '\0'));
  for (auto& record : out) {
    for (char& c : record) c = static_cast<char>(random() & 0xff);
  }
  return out;
}

std::string put_body(Encoding encoding) {
  Writer out(encoding);
  out.begin_structure().member("StreamName").text("streaming-pin").member("Records").begin_list();
  for (std::size_t i = 0; const auto& record : make_records()) {
    out.begin_structure().member("Data").blob(record).member("PartitionKey").text("key-" + std::to_string(i++));
    out.end_structure();
  }
  out.end_list().end_structure();
  return std::move(out).take();
}

void count(benchmark::State& state, std::size_t bytes) {
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetBytesProcessed(rounds * static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(rounds * static_cast<std::int64_t>(kRecords));
}

void read_put_records(benchmark::State& state, Encoding encoding) {
  const auto body = put_body(encoding);
  const Shape& shape = find_operation("PutRecords")->input;
  for (auto _ : state) {
    const Input input = encoding == Encoding::kJson ? read_json(body, &shape) : read_cbor(body, &shape);
    CHECK(input.parsed && !broken_constraints(shape, input.value), "the body is good");
    benchmark::DoNotOptimize(&input);
  }
  count(state, body.size());
}
BENCHMARK_CAPTURE(read_put_records, json, Encoding::kJson);
BENCHMARK_CAPTURE(read_put_records, cbor, Encoding::kCbor);

void write_get_records(benchmark::State& state, Encoding encoding) {
  const auto records = make_records();
  std::size_t size = 0;
  for (auto _ : state) {
    Writer out(encoding);
    out.reserve(kRecords * 1600);
    out.begin_structure().member("Records").begin_list();
    for (const auto& record : records) {
      out.begin_structure().member("SequenceNumber").text("49646437577130777162115407028973509772956159636150419474");
      out.member("ApproximateArrivalTimestamp").time(WallTime(std::chrono::milliseconds(1'790'000'000'123)));
      out.member("Data").blob(record).member("PartitionKey").text("key-123").end_structure();
    }
    out.end_list().member("MillisBehindLatest").integer(0).end_structure();
    const std::string body = std::move(out).take();
    size = body.size();
    benchmark::DoNotOptimize(body.data());
  }
  count(state, size);
}
BENCHMARK_CAPTURE(write_get_records, json, Encoding::kJson);
BENCHMARK_CAPTURE(write_get_records, cbor, Encoding::kCbor);

void decode_base64(benchmark::State& state) {
  const auto text = base64_encode(make_records()[0]);
  for (auto _ : state) {
    auto bytes = base64_decode(text);
    benchmark::DoNotOptimize(&bytes);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(decode_base64);

void encode_base64(benchmark::State& state) {
  const auto bytes = make_records()[0];
  std::string text;
  for (auto _ : state) {
    text.clear();
    append_base64(text, bytes);
    benchmark::DoNotOptimize(text.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(encode_base64);

}  // namespace
}  // namespace pinflow::doors::kinesis

BENCHMARK_MAIN();
