#pragma once

#include <cstdint>
#include <string_view>

namespace pinflow::log {

// CRC-32C (Castagnoli), as Kafka's record batches carry it. At the speed of memory where the processor has an
// instruction for it. `before`: the checksum of what stands before these bytes, which may lie elsewhere.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace pinflow::log
