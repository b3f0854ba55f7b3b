#include <cstdint>
#include <string>

#include "base/check.h"
#include "live/condensed.h"

// Whatever the bytes, as a key after its length and a value: no crash; and what was read is written as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::live;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view key = bytes.substr(0, data[0]);
  const std::string_view value = bytes.substr(key.size());
  const auto read = decode_condensed(key, value);
  if (!read) return 0;
  const auto again = std::visit([](const auto& what) { return encode(what); }, *read);
  CHECK(again.key == key && again.value == value, "what was read has one spelling");
  return 0;
}
