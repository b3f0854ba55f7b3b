#include "sink/object_bytes.h"

#include "log/compression.h"
#include "sink/internal/parquet_rows.h"

namespace pinflow::sink {

namespace {

// What one object may become: far above what the sink puts, and a bound for what others do.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

log::Codec codec(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return log::Codec::kNone;
    case Compression::kGzip:
      return log::Codec::kGzip;
    case Compression::kZstd:
      return log::Codec::kZstd;
    case Compression::kSnappy:
      break;
  }
  return log::Codec::kSnappy;
}

}  // namespace

Result<std::string> pack_lines(Compression compression, std::string lines) {
  if (compression == Compression::kNone) return lines;
  std::string packed;
  TRY(log::compress(codec(compression), lines, packed));
  return packed;
}

ObjectUnpacker::ObjectUnpacker() = default;
ObjectUnpacker::~ObjectUnpacker() = default;

Result<std::string> ObjectUnpacker::lines(const ObjectName& name, std::string bytes) {
  if (name.format == Format::kParquet) {
    if (!packer_) {
      TRY_ASSIGN(packer_, internal::ParquetPacker::open());
    }
    return packer_->lines(bytes);
  }
  if (name.compression == Compression::kNone) return bytes;
  std::string lines;
  TRY(log::decompress(codec(name.compression), bytes, kMostBytes, lines));
  return lines;
}

Result<std::string> object_lines(const ObjectName& name, std::string bytes) {
  return ObjectUnpacker().lines(name, std::move(bytes));
}

}  // namespace pinflow::sink
