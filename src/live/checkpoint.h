#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::live {

inline constexpr std::uint32_t kCheckpointVersion = 1;
inline constexpr std::string_view kCheckpointName = "live.checkpoint";

// The file around a saved state: magic, version, checksum (docs/formats/live-checkpoint.md).
std::string encode_checkpoint(std::string_view state);
// Gives the state within the file's bytes. kCorrupt: damaged, or no such file. kInvalid: of another version.
Result<std::string_view> decode_checkpoint(std::string_view file);

// Puts a state in place of the last one in the folder, whole and durable or not at all.
Result<void> write_checkpoint(disk::Disk& disk, const disk::Path& folder, std::string_view state);
// Gives the last one. kNotFound: there is none; otherwise as decode_checkpoint.
Result<std::string> read_checkpoint(disk::Disk& disk, const disk::Path& folder);

}  // namespace pinflow::live
