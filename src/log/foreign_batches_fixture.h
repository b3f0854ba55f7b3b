#pragma once

#include <string>
#include <string_view>

#include "log/compression.h"

namespace pinflow::log {

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// The batch that Kafka's Java client 4.2.0 builds of these three records, by codec:
//   time 1700000000123, key k1, value {"index":7528,"index":7528,"index":7528}
//   time 1700000000100, no key, value of no bytes, headers h = x and n = null
//   time 1700000005123, key of no bytes, no value
inline std::string java_batch(Codec codec) {
  constexpr std::string_view kHex[] = {
      // none
      "000000000000000000000078ffffffff02ed4a0cfd0000000000020000018bcfe5687b0000018bcfe57c03ffffffffffffff"
      "ffffffffffffff0000000360000000046b31507b22696e646578223a373532382c22696e646578223a373532382c22696e64"
      "6578223a373532387d001a002d0201000402680278026e010e00904e04000100",
      // gzip
      "000000000000000000000075ffffffff0270efd4800001000000020000018bcfe5687b0000018bcfe57c03ffffffffffffff"
      "ffffffffffffff000000031f8b08000000000000ff4b60606060c9360ca856cacc4b49ad50b2323735b2d0c1c9a9659062d0"
      "6562646061ca60aa60ca63e46398e0c7c2c0c800006da5090447000000",
      // snappy
      "000000000000000000000079ffffffff02a40d8fa80002000000020000018bcfe5687b0000018bcfe57c03ffffffffffffff"
      "ffffffffffffff0000000382534e4150505900000000010000000100000034475460000000046b31507b22696e646578223a"
      "373532382c620d005c7d001a002d0201000402680278026e010e00904e04000100",
      // lz4
      "000000000000000000000075ffffffff02971e2d4d0003000000020000018bcfe5687b0000018bcfe57c03ffffffffffffff"
      "ffffffffffffff0000000304224d1860408235000000ff0760000000046b31507b22696e646578223a373532382c0d0006f0"
      "097d001a002d0201000402680278026e010e00904e0400010000000000",
      // zstd
      "000000000000000000000072ffffffff025570ff4c0004000000020000018bcfe5687b0000018bcfe57c03ffffffffffffff"
      "ffffffffffffff0000000328b52ffd0058ac0100e40260000000046b31507b22696e646578223a373532382c7d001a002d02"
      "01000402680278026e010e00904e04000100010060994d010000"};
  return from_hex(kHex[static_cast<std::size_t>(codec)]);
}

}  // namespace pinflow::log
