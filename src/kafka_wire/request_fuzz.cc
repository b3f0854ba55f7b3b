#include <cstdlib>

#include "kafka_wire/messages/all.h"

// Any bytes as a received frame: length, header and the body of the request that the header names are either refused or
// read without reaching outside; what was read is the same after writing and reading it again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::kafka_wire;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)frame_size(bytes);
  const auto header = read_request_header(bytes);
  if (!header || header->api == nullptr || !header->api->known(header->version)) return 0;
  for_each_request([&]<class R>() {
    if (R::kApi != header->api->key) return;
    const auto request = decode_body<R>(header->body, header->version);
    if (!request) return;
    const std::string frame =
        encode_request(*request, header->version, header->correlation_id, header->client_id).flat();
    const auto again = read_request_header(std::string_view(frame).substr(4));
    if (!again || again->client_id != header->client_id || again->correlation_id != header->correlation_id)
      std::abort();
    const auto reread = decode_body<R>(again->body, again->version);
    if (!reread || !(*reread == *request)) std::abort();
  });
  return 0;
}
