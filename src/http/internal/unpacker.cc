#include "http/internal/unpacker.h"

#include <algorithm>
#include <zlib.h>
#include <zstd.h>

#include <fmt/core.h>

#include "base/check.h"

namespace pinflow::http::internal {

namespace {
constexpr std::uint64_t kFreeBytes =
    64 << 10;                       // So much of any body the ratio does not look at: short texts repeat a lot.
constexpr int kZstdWindowLog = 23;  // 8 MiB, what RFC 9659 lets a sender rely on.
constexpr std::size_t kInflateMemory = 48 << 10;

// Counts what comes out against what went in.
class Meter {
 public:
  explicit Meter(const UnpackLimits& limits) : limits_(limits) {}
  std::optional<Failure> count(std::size_t in, std::size_t out) {
    in_ += in;
    out_ += out;
    if (out_ > limits_.max_bytes) {
      return Failure{413, fmt::format("the unpacked body is larger than the limit of {} bytes", limits_.max_bytes)};
    }
    if (out_ > kFreeBytes && out_ / std::max<std::uint32_t>(limits_.max_ratio, 1) > in_) {
      return Failure{413, fmt::format("the body unpacks to more than {} times its size", limits_.max_ratio)};
    }
    return std::nullopt;
  }
  bool anything() const { return in_ > 0; }

 private:
  const UnpackLimits limits_;
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
};

Failure cut_short(std::string_view packing) {
  return {400, fmt::format("the body ends in the midst of its {} data", packing)};
}

class GzipUnpacker final : public Unpacker {
 public:
  explicit GzipUnpacker(const UnpackLimits& limits) : meter_(limits) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    CHECK(inflateInit2(&stream_, kGzipOnly) == Z_OK, "zlib cannot be set up: out of memory, or another version");
  }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;
  ~GzipUnpacker() override { inflateEnd(&stream_); }

  std::optional<Failure> unpack(std::string_view& packed, std::string& out, std::size_t room) override {
    const std::size_t before = out.size();
    std::optional<Failure> failure;
    // resize_and_overwrite would leave out the zeros, but zlib must not see memory of a string that throws meanwhile.
    out.resize(before + room);
    std::size_t written = 0;
    while (!failure && written < room) {
      if (member_ended_) {  // Members may follow each other; what is no member is refused by inflate().
        if (packed.empty()) break;
        inflateReset(&stream_);
        member_ended_ = false;
      }
      failure = step(packed, out.data() + before, room, written);
      if (!failure && stream_.avail_out > 0 && packed.empty() && !member_ended_) break;
    }
    out.resize(before + written);
    return failure;
  }

  std::optional<Failure> end() override {
    if (meter_.anything() && !member_ended_) return cut_short("gzip");
    return std::nullopt;
  }

  std::size_t memory() const override { return kInflateMemory; }

 private:
  std::optional<Failure> step(std::string_view& packed, char* out, std::size_t room, std::size_t& written) {
    const std::size_t in = std::min<std::size_t>(packed.size(), 1U << 30);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib only reads it.
    stream_.avail_in = static_cast<uInt>(in);
    stream_.next_out = reinterpret_cast<Bytef*>(out + written);
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(room - written, 1U << 30));
    const uInt given = stream_.avail_out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t used = in - stream_.avail_in;
    packed.remove_prefix(used);
    written += given - stream_.avail_out;
    if (auto failure = meter_.count(used, given - stream_.avail_out)) return failure;
    if (code == Z_STREAM_END) {
      member_ended_ = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return Failure{
          400, fmt::format("the body is not gzip data: {}", stream_.msg != nullptr ? stream_.msg : "it is damaged")};
    }
    return std::nullopt;
  }

  z_stream stream_{};
  Meter meter_;
  bool member_ended_ = false;
};

class ZstdUnpacker final : public Unpacker {
 public:
  explicit ZstdUnpacker(const UnpackLimits& limits) : stream_(ZSTD_createDStream()), meter_(limits) {
    CHECK(stream_ != nullptr, "zstd cannot be set up: out of memory");
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  ZstdUnpacker(const ZstdUnpacker&) = delete;
  ZstdUnpacker& operator=(const ZstdUnpacker&) = delete;
  ~ZstdUnpacker() override { ZSTD_freeDStream(stream_); }

  std::optional<Failure> unpack(std::string_view& packed, std::string& out, std::size_t room) override {
    const std::size_t before = out.size();
    std::optional<Failure> failure;
    out.resize(before + room);
    ZSTD_outBuffer to{out.data() + before, room, 0};
    while (!failure && to.pos < to.size) {
      ZSTD_inBuffer from{packed.data(), packed.size(), 0};
      const std::size_t had = to.pos;
      const std::size_t left = ZSTD_decompressStream(stream_, &to, &from);
      packed.remove_prefix(from.pos);
      failure = meter_.count(from.pos, to.pos - had);
      if (ZSTD_isError(left) != 0U) {
        failure = Failure{400, fmt::format("the body is not zstd data: {}", ZSTD_getErrorName(left))};
      } else if (from.pos > 0 || to.pos > had) {
        frame_ended_ = left == 0;
      }
      if (from.pos == 0 && to.pos == had) break;
      if (packed.empty() && (frame_ended_ || to.pos < to.size)) break;
    }
    out.resize(before + to.pos);
    return failure;
  }

  std::optional<Failure> end() override {
    if (meter_.anything() && !frame_ended_) return cut_short("zstd");
    return std::nullopt;
  }

  std::size_t memory() const override { return ZSTD_sizeof_DStream(stream_); }

 private:
  ZSTD_DStream* const stream_;
  Meter meter_;
  bool frame_ended_ = false;
};
}  // namespace

std::optional<Failure> read_packing(const Headers& headers, Packing& packing) {
  packing = Packing::kNone;
  std::optional<std::string_view> named;
  for (const auto& [name, value] : headers.fields()) {
    if (!equals_ignoring_case(name, "Content-Encoding")) continue;
    if (named) return Failure{415, "the request has two Content-Encoding headers; pack the body once"};
    named = value;
  }
  if (!named || equals_ignoring_case(*named, "identity")) return std::nullopt;
  if (equals_ignoring_case(*named, "gzip") || equals_ignoring_case(*named, "x-gzip")) {
    packing = Packing::kGzip;
  } else if (equals_ignoring_case(*named, "zstd")) {
    packing = Packing::kZstd;
  } else {
    return Failure{415, fmt::format("Content-Encoding '{}' is not understood; use one of {}, or send the body as it is",
                                    *named, kUnderstoodPackings)};
  }
  return std::nullopt;
}

std::unique_ptr<Unpacker> make_unpacker(Packing packing, const UnpackLimits& limits) {
  switch (packing) {
    case Packing::kNone:
      return nullptr;
    case Packing::kGzip:
      return std::make_unique<GzipUnpacker>(limits);
    case Packing::kZstd:
      return std::make_unique<ZstdUnpacker>(limits);
  }
  return nullptr;
}

}  // namespace pinflow::http::internal
