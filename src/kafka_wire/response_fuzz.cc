#include <cstdlib>

#include "kafka_wire/messages/all.h"

// The same for what a foreign broker answers to our own client: the first byte says which answer, the second its version.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::kafka_wire;
  if (size < 2) return 0;
  const std::string_view frame(reinterpret_cast<const char*>(data) + 2, size - 2);
  for_each_request([&]<class R>() {
    using M = typename R::Response;
    const ApiInfo& api = api_info(M::kApi);
    const auto version = static_cast<std::int16_t>(data[1]);
    if (static_cast<std::int16_t>(api.key) != data[0] || !api.known(version)) return;
    const auto header = read_response_header(frame, api.key, version);
    if (!header) return;
    const auto response = decode_body<M>(header->body, version);
    if (!response) return;
    const std::string again = encode_response(*response, version, header->correlation_id).flat();
    const auto reread =
        decode_body<M>(read_response_header(std::string_view(again).substr(4), api.key, version)->body, version);
    if (!reread || !(*reread == *response)) std::abort();
  });
  return 0;
}
