#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/internal/wire.h"
#include "http/message.h"

namespace pinflow::http::internal {

enum class Packing { kNone, kGzip, kZstd };

// What Accept-Encoding says in an answer 415, and which packings read_packing() knows.
inline constexpr std::string_view kUnderstoodPackings = "gzip, zstd";

// Reads Content-Encoding. A packing that is unknown, or more than one: 415.
std::optional<Failure> read_packing(const Headers& headers, Packing& packing);

struct UnpackLimits {
  std::uint64_t max_bytes = std::uint64_t{10} << 20;  // Of the unpacked body.
  std::uint32_t max_ratio = 100;                      // Unpacked to packed, past the first 64 KiB unpacked.
};

// Unpacks one packed body piece by piece, and no more of it than is asked for, so that a small body that unpacks to a huge one
// costs nothing. Sans-I/O; one thread.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  // Unpacks from the front of `packed`, which it shortens, and appends to `out` about `room` bytes at most. It is done with `packed` when
  // that is empty and less than `room` came out. 413: over a limit; 400: not this packing, or something follows its end.
  virtual std::optional<Failure> unpack(std::string_view& packed, std::string& out, std::size_t room) = 0;
  // Tells that no more comes. 400: the body is cut short.
  virtual std::optional<Failure> end() = 0;
  // Memory that it holds.
  virtual std::size_t memory() const = 0;
};

std::unique_ptr<Unpacker> make_unpacker(Packing packing, const UnpackLimits& limits);

}  // namespace pinflow::http::internal
