#include "log/compression.h"

#include <algorithm>
#include <limits>
#include <lz4frame.h>
#include <memory>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "base/check.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

constexpr std::size_t kLeastLimit = std::size_t{64} << 20;
constexpr std::size_t kMostGrowth = 8;  // Allowed beyond kLeastLimit, as times of the compressed size.

constexpr std::size_t kFirstBuffer = 64 << 10;

// The Java library's framing of snappy: this, two version numbers, then blocks, each behind its length.
constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);
constexpr std::size_t kXerialHeader = 16;
constexpr std::size_t kXerialBlock = 32 << 10;  // Before compression, as that library has it.

constexpr std::size_t kMostSnappyRatio = 32;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    (void)Free(pointer);
  }
};
using ZstdDecoder = std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_freeDCtx>>;
using ZstdEncoder = std::unique_ptr<ZSTD_CCtx, Freed<ZSTD_freeCCtx>>;
using Lz4Decoder = std::unique_ptr<LZ4F_dctx, Freed<LZ4F_freeDecompressionContext>>;

// A zlib stream, made by the first use.
class Inflater {
 public:
  ~Inflater() {
    if (made_) inflateEnd(&stream_);
  }
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream* begin() {
    constexpr int kGzipOnly = 16 + 15;  // The greatest window, and a gzip header must be there.
    const int code = made_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzipOnly);
    made_ = made_ || code == Z_OK;
    return code == Z_OK ? &stream_ : nullptr;
  }

 private:
  z_stream stream_{};
  bool made_ = false;
};

// The decoders of one thread: making them costs more than decoding a small batch.
struct Decoders {
  Inflater gzip;
  ZstdDecoder zstd;
  Lz4Decoder lz4;
};
thread_local Decoders decoders;

Error corrupt(Codec codec, std::string_view what) {
  return {ErrorCode::kCorrupt, fmt::format("compressed records ({}): {}", codec_name(codec), what)};
}
constexpr std::string_view kCutShort = "they end early";
constexpr std::string_view kNoMemory = "there is no memory for a decoder";

// Text that grows up to a limit while a decoder fills it.
class Output {
 public:
  Output(Codec codec, std::size_t limit, std::size_t guess, std::string& text)
      : codec_(codec), limit_(limit), text_(text) {
    text_.clear();
    reserve(std::clamp(guess, kFirstBuffer, std::max(limit, kFirstBuffer)));
  }
  ~Output() { text_.resize(size_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Room for at least one byte; none once the limit is passed.
  char* begin() {
    if (size_ == text_.size() && size_ <= limit_) reserve(std::min(size_ * 2, std::max(limit_ + 1, kFirstBuffer)));
    return text_.data() + size_;
  }
  std::size_t room() const { return text_.size() - size_; }

  Result<void> took(std::size_t bytes) {
    size_ += bytes;
    return size_ <= limit_ ? Result<void>() : over();
  }
  // Room for so many bytes at once.
  Result<char*> block(std::size_t bytes) {
    if (bytes > limit_ || size_ > limit_ - bytes) return fail(over().error());
    if (room() < bytes) reserve(std::max(size_ + bytes, std::min(size_ * 2, limit_)));
    return text_.data() + size_;
  }

 private:
  void reserve(std::size_t bytes) {
    text_.resize_and_overwrite(bytes, [](char*, std::size_t size) { return size; });
  }
  Result<void> over() const {
    return fail(ErrorCode::kInvalid,
                fmt::format("compressed records ({}): more than {} bytes come out; send smaller batches",
                            codec_name(codec_), limit_));
  }

  const Codec codec_;
  const std::size_t limit_;
  std::string& text_;
  std::size_t size_ = 0;
};

Result<void> inflate_all(std::string_view bytes, Output& out) {
  z_stream* stream = decoders.gzip.begin();
  if (!stream) return fail(corrupt(Codec::kGzip, kNoMemory));
  stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib reads only.
  stream->avail_in = static_cast<uInt>(bytes.size());
  while (true) {
    stream->next_out = reinterpret_cast<Bytef*>(out.begin());
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.room(), std::numeric_limits<uInt>::max()));
    stream->avail_out = room;
    const int code = inflate(stream, Z_NO_FLUSH);
    TRY(out.took(room - stream->avail_out));
    if (code == Z_STREAM_END) {
      if (stream->avail_in == 0) return {};
      if (inflateReset(stream) != Z_OK) return fail(corrupt(Codec::kGzip, kNoMemory));  // Another member follows.
    } else if (code == Z_BUF_ERROR || (code == Z_OK && stream->avail_in == 0 && stream->avail_out > 0)) {
      return fail(corrupt(Codec::kGzip, kCutShort));
    } else if (code != Z_OK) {
      return fail(corrupt(Codec::kGzip, stream->msg ? stream->msg : "malformed"));
    }
  }
}

Result<void> unsnap_block(std::string_view block, Output& out) {
  std::size_t length = 0;
  if (snappy_uncompressed_length(block.data(), block.size(), &length) != SNAPPY_OK)
    return fail(corrupt(Codec::kSnappy, "a block has no length"));
  // Three bytes become 64 at most: a greater length is a lie, for which no memory is taken.
  if (length / kMostSnappyRatio > block.size()) return fail(corrupt(Codec::kSnappy, "a block is malformed"));
  TRY_ASSIGN(char* const to, out.block(length));
  if (snappy_uncompress(block.data(), block.size(), to, &length) != SNAPPY_OK)
    return fail(corrupt(Codec::kSnappy, "a block is malformed"));
  return out.took(length);
}

Result<void> unsnap_all(std::string_view bytes, Output& out) {
  if (!bytes.starts_with(kXerialMagic)) return unsnap_block(bytes, out);
  while (!bytes.empty()) {
    if (bytes.starts_with(kXerialMagic)) {
      if (bytes.size() < kXerialHeader) return fail(corrupt(Codec::kSnappy, kCutShort));
      bytes.remove_prefix(kXerialHeader);
      continue;
    }
    if (bytes.size() < 4) return fail(corrupt(Codec::kSnappy, kCutShort));
    const auto length = load_big_endian<std::uint32_t>(bytes.data());
    bytes.remove_prefix(4);
    if (length > bytes.size()) return fail(corrupt(Codec::kSnappy, kCutShort));
    TRY(unsnap_block(bytes.substr(0, length), out));
    bytes.remove_prefix(length);
  }
  return {};
}

Result<void> unlz4_all(std::string_view bytes, Output& out) {
  if (!decoders.lz4) {
    LZ4F_dctx* made = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)))
      return fail(corrupt(Codec::kLz4, kNoMemory));
    decoders.lz4.reset(made);
  }
  LZ4F_dctx* decoder = decoders.lz4.get();
  LZ4F_resetDecompressionContext(decoder);  // An earlier frame may have been left half read.
  std::size_t wants_more = 1;               // Zero at the end of a frame; another may follow.
  while (!bytes.empty()) {
    char* to = out.begin();
    std::size_t written = out.room();
    std::size_t read = bytes.size();
    wants_more = LZ4F_decompress(decoder, to, &written, bytes.data(), &read, nullptr);
    if (LZ4F_isError(wants_more)) return fail(corrupt(Codec::kLz4, LZ4F_getErrorName(wants_more)));
    bytes.remove_prefix(read);
    TRY(out.took(written));
  }
  // The decoder may hold decoded bytes that had no room.
  for (std::size_t written = 1; wants_more != 0 && written > 0;) {
    char* to = out.begin();
    written = out.room();
    std::size_t read = 0;
    wants_more = LZ4F_decompress(decoder, to, &written, bytes.data(), &read, nullptr);
    if (LZ4F_isError(wants_more)) return fail(corrupt(Codec::kLz4, LZ4F_getErrorName(wants_more)));
    TRY(out.took(written));
  }
  return wants_more == 0 ? Result<void>() : fail(corrupt(Codec::kLz4, kCutShort));
}

Result<void> unzstd_all(std::string_view bytes, Output& out) {
  if (!decoders.zstd) decoders.zstd.reset(ZSTD_createDCtx());
  ZSTD_DCtx* decoder = decoders.zstd.get();
  if (!decoder) return fail(corrupt(Codec::kZstd, kNoMemory));
  (void)ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only);
  ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
  while (true) {
    char* to = out.begin();
    ZSTD_outBuffer into{to, out.room(), 0};
    const std::size_t wants_more = ZSTD_decompressStream(decoder, &into, &from);
    if (ZSTD_isError(wants_more)) return fail(corrupt(Codec::kZstd, ZSTD_getErrorName(wants_more)));
    TRY(out.took(into.pos));
    if (wants_more == 0 && from.pos == from.size) return {};
    if (from.pos == from.size && into.pos < into.size) return fail(corrupt(Codec::kZstd, kCutShort));
  }
}

Result<void> deflate_all(std::string_view bytes, std::string& out) {
  z_stream stream{};
  constexpr int kGzip = 16 + 15;
  constexpr int kMemory = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(corrupt(Codec::kGzip, "there is no memory for an encoder"));
  out.resize(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib reads only.
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  CHECK(code == Z_STREAM_END, "the bound of zlib holds");
  return {};
}

void snap_all(std::string_view bytes, std::string& out) {
  out.assign(kXerialMagic);
  append_big_endian<std::int32_t>(out, 1);  // Version, and the oldest one that can read it.
  append_big_endian<std::int32_t>(out, 1);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kXerialBlock))) {
    const std::string_view block = bytes.substr(0, kXerialBlock);
    const std::size_t at = out.size();
    std::size_t length = snappy_max_compressed_length(block.size());
    out.resize(at + 4 + length);
    const auto code = snappy_compress(block.data(), block.size(), out.data() + at + 4, &length);
    CHECK(code == SNAPPY_OK, "the bound of snappy holds");
    store_big_endian<std::uint32_t>(out.data() + at, static_cast<std::uint32_t>(length));
    out.resize(at + 4 + length);
  }
}

Result<void> lz4_all(std::string_view bytes, std::string& out) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Kafka's Java client reads no other.
  out.resize(LZ4F_compressFrameBound(bytes.size(), &preferences));
  const std::size_t length = LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(length)) return fail(corrupt(Codec::kLz4, LZ4F_getErrorName(length)));
  out.resize(length);
  return {};
}

Result<void> zstd_all(std::string_view bytes, std::string& out) {
  const ZstdEncoder encoder(ZSTD_createCCtx());
  if (!encoder) return fail(corrupt(Codec::kZstd, "there is no memory for an encoder"));
  out.resize(ZSTD_compressBound(bytes.size()));
  const std::size_t length =
      ZSTD_compressCCtx(encoder.get(), out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  if (ZSTD_isError(length)) return fail(corrupt(Codec::kZstd, ZSTD_getErrorName(length)));
  out.resize(length);
  return {};
}

}  // namespace

Result<Codec> codec_of(int attribute_bits) {
  if (attribute_bits >= 0 && attribute_bits <= static_cast<int>(Codec::kZstd))
    return static_cast<Codec>(attribute_bits);
  return fail(ErrorCode::kInvalid, fmt::format("there is no compression codec {}", attribute_bits));
}

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return "none";
    case Codec::kGzip:
      return "gzip";
    case Codec::kSnappy:
      return "snappy";
    case Codec::kLz4:
      return "lz4";
    case Codec::kZstd:
      return "zstd";
  }
  return "none";
}

std::size_t decompressed_limit(std::size_t compressed_size) {
  return std::max(kLeastLimit, compressed_size * kMostGrowth);
}

Result<void> decompress(Codec codec, std::string_view bytes, std::size_t limit, std::string& out) {
  CHECK(bytes.size() <= std::numeric_limits<std::int32_t>::max(), "a batch is below 2 GiB");
  Output output(codec, limit, bytes.size() * 4, out);
  switch (codec) {
    case Codec::kNone: {
      TRY_ASSIGN(char* const to, output.block(bytes.size()));
      std::ranges::copy(bytes, to);
      return output.took(bytes.size());
    }
    case Codec::kGzip:
      return inflate_all(bytes, output);
    case Codec::kSnappy:
      return unsnap_all(bytes, output);
    case Codec::kLz4:
      return unlz4_all(bytes, output);
    case Codec::kZstd:
      return unzstd_all(bytes, output);
  }
  return {};
}

Result<void> compress(Codec codec, std::string_view bytes, std::string& out) {
  CHECK(bytes.size() <= std::numeric_limits<std::int32_t>::max(), "a batch is below 2 GiB");
  switch (codec) {
    case Codec::kNone:
      out.assign(bytes);
      return {};
    case Codec::kGzip:
      return deflate_all(bytes, out);
    case Codec::kSnappy:
      snap_all(bytes, out);
      return {};
    case Codec::kLz4:
      return lz4_all(bytes, out);
    case Codec::kZstd:
      return zstd_all(bytes, out);
  }
  return {};
}

}  // namespace pinflow::log
