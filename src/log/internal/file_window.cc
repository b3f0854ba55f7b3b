#include "log/internal/file_window.h"

#include <algorithm>

namespace pinflow::log {

Result<std::string_view> FileWindow::look_far(std::uint64_t position, std::size_t wanted) {
  if (position >= end_) return std::string_view();
  wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, end_ - position));
  if (position < start_ || position + wanted > start_ + size_) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(wanted, least_), end_ - position));
    if (length > capacity_) {
      buffer_ = std::make_unique_for_overwrite<char[]>(length);
      capacity_ = length;
    }
    size_ = 0;
    TRY_ASSIGN(size_, file_.read_at(position, {buffer_.get(), length}));
    start_ = position;
  }
  return std::string_view(buffer_.get() + (position - start_), static_cast<std::size_t>(start_ + size_ - position));
}

Result<std::string_view> FileWindow::look(std::uint64_t position, std::size_t wanted) {
  TRY_ASSIGN(const std::string_view far, look_far(position, wanted));
  return far.substr(0, wanted);
}

}  // namespace pinflow::log
