#include <benchmark/benchmark.h>

#include "kafka_wire/messages/all.h"

// What the codec costs a request on the paths that a broker walks most.
namespace pinflow::kafka_wire {
namespace {

void ReadProduce(benchmark::State& state) {
  const std::string batch(16 << 10, 'b');
  ProduceRequest request{.acks = -1, .timeout_ms = 1000};
  request.topics = {{.name = "pinterest.pin"}};
  for (std::int32_t i = 0; i < state.range(0); ++i)
    request.topics[0].partitions.push_back({.index = i, .records = batch});
  const std::string frame = encode_request(request, 9, 1, "bench").flat();
  for (auto _ : state) {
    const auto header = read_request_header(std::string_view(frame).substr(4));
    auto read = decode_body<ProduceRequest>(header->body, header->version);
    benchmark::DoNotOptimize(read);
  }
}
BENCHMARK(ReadProduce)->Arg(1)->Arg(10);

void WriteProduceAnswer(benchmark::State& state) {
  ProduceResponse response{.topics = {{.name = "pinterest.pin", .partitions = {{.index = 1, .base_offset = 7}}}}};
  for (auto _ : state) benchmark::DoNotOptimize(encode_response(response, 9, 1));
}
BENCHMARK(WriteProduceAnswer);

void WriteFetchAnswer(benchmark::State& state) {
  const std::string batch(64 << 10, 'b');
  FetchResponse response;
  response.topics = {{.topic = "pinterest.pin"}};
  for (std::int32_t i = 0; i < state.range(0); ++i)
    response.topics[0].partitions.push_back({.partition_index = i, .high_watermark = 100, .records = batch});
  for (auto _ : state) {
    const EncodedFrame frame = encode_response(response, 12, 1);
    benchmark::DoNotOptimize(frame.pieces());
  }
}
BENCHMARK(WriteFetchAnswer)->Arg(1)->Arg(10);

void WriteMetadataAnswer(benchmark::State& state) {
  MetadataResponse response{
      .brokers = {{.node_id = 1, .host = "127.0.0.1", .port = 9092}}, .cluster_id = "c", .controller_id = 1};
  for (int topic = 0; topic < 10; ++topic) {
    response.topics.push_back({.name = "topic"});
    for (std::int32_t i = 0; i < 100; ++i)
      response.topics.back().partitions.push_back(
          {.partition_index = i, .leader_id = 1, .replica_nodes = {1}, .isr_nodes = {1}});
  }
  for (auto _ : state) benchmark::DoNotOptimize(encode_response(response, 12, 1));
}
BENCHMARK(WriteMetadataAnswer);

}  // namespace
}  // namespace pinflow::kafka_wire

BENCHMARK_MAIN();
