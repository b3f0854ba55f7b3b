#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::log {

// How the records of a batch are compressed: the lowest three bits of its attributes.
enum class Codec : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

// kInvalid: 5 to 7 are no codecs.
Result<Codec> codec_of(int attribute_bits);
std::string_view codec_name(Codec codec);  // As Kafka's setting compression.type has it; "none" for kNone.

// What a compressed body of this size may become at most: a bound on memory that no honest producer meets.
std::size_t decompressed_limit(std::size_t compressed_size);

// Puts what `bytes` become in place of what `out` held, whose storage is used again. Takes what Kafka's clients send: gzip of several
// members, snappy with and without the framing of its Java library, lz4 and zstd frames of unknown size, also several. kCorrupt:
// malformed or cut short. kInvalid: more than `limit` bytes come out; then no more than that was ever held.
// Safe from any thread; each keeps its decoders (about 300 KiB) while it lives.
Result<void> decompress(Codec codec, std::string_view bytes, std::size_t limit, std::string& out);

// The other way, so that any Kafka client reads it. kNone copies.
Result<void> compress(Codec codec, std::string_view bytes, std::string& out);

}  // namespace pinflow::log
