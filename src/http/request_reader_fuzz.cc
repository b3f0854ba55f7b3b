#include "base/check.h"
#include "http/internal/request_reader.h"

namespace {

using pinflow::http::internal::RequestReader;

// What a reader makes of bytes: every whole request, and whether it refused the rest.
std::string outcome(std::string_view bytes, std::size_t step) {
  RequestReader reader({4096, 65536});
  std::string out;
  while (!bytes.empty() && !reader.failure()) {
    bytes.remove_prefix(reader.feed(bytes.substr(0, step)));
    if (reader.stage() != RequestReader::Stage::kComplete) continue;
    const auto request = reader.take();
    out += request.method + " " + request.target + " " + request.body + "\n";
  }
  if (reader.failure()) out += "refused " + std::to_string(reader.failure()->status);
  return out;
}

}  // namespace

// However the network cuts the bytes, the requests are the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = outcome(bytes, SIZE_MAX);
  for (const std::size_t step : {1UZ, 7UZ}) {
    CHECK(outcome(bytes, step) == whole, "the same bytes in other pieces are read as other requests");
  }
  return 0;
}
