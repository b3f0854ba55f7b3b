#pragma once

#include <cstdint>
#include <string_view>

namespace pinflow::log {

// CRC-32C (Castagnoli), as Kafka's record batches carry it. At the speed of memory where the processor has an
// instruction for it.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace pinflow::log
