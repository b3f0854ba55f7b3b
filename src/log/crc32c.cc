#include "log/crc32c.h"

#include <algorithm>

#include <isa-l/crc.h>

namespace pinflow::log {

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  // The library counts bytes in an int and works on the raw register, hence the pieces and the two
  // inversions. It only reads, though its parameter is not const.
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  std::uint32_t state = ~before;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes.remove_prefix(piece.size());
  }
  return ~state;
}

}  // namespace pinflow::log
