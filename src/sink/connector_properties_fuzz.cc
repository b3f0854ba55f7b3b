#include <cstdint>
#include <string>

#include "base/check.h"
#include "sink/connector_properties.h"

// Whatever the text: no crash, and settings that a sink can start with.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::sink;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = read_connector_properties(text, SinkOptions());
  if (!settings) {
    CHECK(!settings.error().message.empty(), "a refusal says why");
    return 0;
  }
  CHECK(settings->options.flush_size >= 1, "an object takes a record at least");
  return 0;
}
