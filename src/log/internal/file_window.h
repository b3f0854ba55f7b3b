#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::log {

// Reads a file forward through one buffer, so that many small looks cost few system calls. Owned by one
// thread. The file must outlive it. Memory: the longest look that was asked for, rounded up to `least`.
class FileWindow final {
 public:
  // Sees the bytes before `end` only. `least` bytes are read at once.
  FileWindow(const disk::File& file, std::uint64_t end, std::size_t least) : file_(file), end_(end), least_(least) {}

  // The bytes from `position`: `wanted` of them, fewer only where `end` comes first. Valid until the next
  // call.
  Result<std::string_view> look(std::uint64_t position, std::size_t wanted);
  // The same with whatever the buffer holds behind, at least one byte before `end`.
  Result<std::string_view> look_far(std::uint64_t position, std::size_t wanted);

 private:
  const disk::File& file_;
  const std::uint64_t end_;
  const std::size_t least_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::uint64_t start_ = 0;  // Place of the buffer's first byte in the file.
  std::size_t size_ = 0;
};

}  // namespace pinflow::log
