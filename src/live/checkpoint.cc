#include "live/checkpoint.h"

#include <fmt/format.h>

#include "log/crc32c.h"

namespace pinflow::live {

namespace {

constexpr std::string_view kMagic = "pinflive";
constexpr std::size_t kHeadSize = kMagic.size() + 4 + 4 + 8;

void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<std::uint8_t>(bytes[i - 1]);
  return value;
}

}  // namespace

std::string encode_checkpoint(std::string_view state) {
  std::string file;
  file.reserve(kHeadSize + state.size());
  file += kMagic;
  append_little_endian(file, kCheckpointVersion, 4);
  append_little_endian(file, log::crc32c(state), 4);
  append_little_endian(file, state.size(), 8);
  file += state;
  return file;
}

Result<std::string_view> decode_checkpoint(std::string_view file) {
  if (file.size() < kHeadSize || !file.starts_with(kMagic)) {
    return fail(ErrorCode::kCorrupt, "it is no checkpoint of live metrics");
  }
  const std::uint64_t version = little_endian(file.substr(8, 4));
  if (version != kCheckpointVersion) {
    return fail(ErrorCode::kInvalid,
                fmt::format("it has version {}, and this program reads version {}", version, kCheckpointVersion));
  }
  const std::string_view state = file.substr(kHeadSize);
  if (little_endian(file.substr(16, 8)) != state.size()) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("it holds {} bytes of state and says {}", state.size(), little_endian(file.substr(16, 8))));
  }
  if (little_endian(file.substr(12, 4)) != log::crc32c(state)) {
    return fail(ErrorCode::kCorrupt, "its checksum does not fit its bytes");
  }
  return state;
}

Result<void> write_checkpoint(disk::Disk& disk, const disk::Path& folder, std::string_view state) {
  return disk.write_file(folder / kCheckpointName, encode_checkpoint(state));
}

Result<std::string> read_checkpoint(disk::Disk& disk, const disk::Path& folder) {
  TRY_ASSIGN(const std::string file, disk.read_file(folder / kCheckpointName));
  TRY_ASSIGN(const std::string_view state, decode_checkpoint(file));
  return std::string(state);
}

}  // namespace pinflow::live
