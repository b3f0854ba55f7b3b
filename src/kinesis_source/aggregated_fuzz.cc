#include <cstdint>
#include <string>

#include "base/check.h"
#include "kinesis_source/aggregated.h"

// Any bytes as the message of a packed record, below the right sum: no crash, and no record without bytes of its own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow;
  static aws::KeyHasher hasher;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  std::string packed = "\xf3\x89\x9a\xc2" + std::string(body);
  for (int shift = 120; shift >= 0; shift -= 8) packed.push_back(static_cast<char>(hasher(body) >> shift));
  const auto records = kinesis_source::unpack(packed, hasher);
  CHECK(!records || 2 * records->size() <= size, "each record has bytes of its own");
  return 0;
}
