#include "base/check.h"
#include "http/internal/request_reader.h"

namespace {

using pinflow::http::internal::RequestReader;

// What a reader makes of bytes: every whole request, and whether it refused the rest.
std::string outcome(std::string_view bytes, std::size_t step) {
  RequestReader reader({4096, 2048});
  std::string out;
  std::string body;
  while (!bytes.empty() && !reader.failure()) {
    bytes.remove_prefix(reader.feed(bytes.substr(0, step), body));
    if (reader.stage() == RequestReader::Stage::kHeadDone) reader.begin_body(65536);
    if (reader.stage() != RequestReader::Stage::kComplete) continue;
    out += reader.request().method + " " + reader.request().target + " " + std::exchange(body, {}) + "\n";
    reader.restart();
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
