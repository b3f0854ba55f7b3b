#include <cstdlib>

#include "log/compression.h"

// The first byte chooses the codec. Any bytes are decompressed or refused, within the limit; and they come back from a round trip.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::log;
  constexpr std::size_t kLimit = 1 << 20;
  if (size == 0) return 0;
  const auto codec = static_cast<Codec>(data[0] % 5);
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string out;
  if (decompress(codec, bytes, kLimit, out) && out.size() > kLimit) std::abort();
  std::string packed;
  if (!compress(codec, bytes, packed) || !decompress(codec, packed, bytes.size(), out) || out != bytes) std::abort();
  return 0;
}
