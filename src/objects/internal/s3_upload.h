#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "disk/disk.h"
#include "objects/internal/s3_client.h"

namespace pinflow::objects::internal {

struct Uploaded {
  std::string tag;  // ETag.
  std::uint64_t size = 0;
};

// Puts an object in one call, in place of what was there.
Result<Uploaded> upload_bytes(S3Client& client, const std::string& key, std::string_view bytes);

// Puts a file: up to 16 MiB in one call, larger ones in parts of at least as much. What was begun and fails is given up, so
// that no parts stay behind.
Result<Uploaded> upload_file(S3Client& client, disk::Disk& disk, const std::string& key, const disk::Path& file);

}  // namespace pinflow::objects::internal
