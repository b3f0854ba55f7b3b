#include <cstdlib>

#include <fmt/format.h>

#include "kafka_wire/testing/fill.h"

// Prints messages with arbitrary values, every kind in every version: "<api key> <version> request|response <body in hex>" per line.
// Another implementation reads and writes them again (interop/kafka_wire); equal bytes prove both tables equal.
// Usage: print_samples [messages of each kind and version, default 10]
int main(int argc, char** argv) {
  using namespace pinflow::kafka_wire;
  const int count = argc > 1 ? std::atoi(argv[1]) : 10;
  const auto print = [&]<class M>(std::int16_t version, const char* side) {
    for (int seed = 0; seed < count; ++seed) {
      Filler filler(static_cast<std::uint64_t>(seed));
      EncodedFrame body;
      encode_body(filler.message<M>(version), version, body);
      fmt::print("{} {} {} ", static_cast<int>(M::kApi), version, side);
      for (const char byte : body.flat()) fmt::print("{:02x}", static_cast<unsigned char>(byte));
      fmt::print("\n");
    }
  };
  for_each_request([&]<class R>() {
    const ApiInfo& api = api_info(R::kApi);
    for (std::int16_t version = api.first; version <= api.last; ++version) {
      print.template operator()<R>(version, "request");
      print.template operator()<typename R::Response>(version, "response");
    }
  });
  return 0;
}
