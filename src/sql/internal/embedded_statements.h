#pragma once

#include <span>
#include <string_view>

namespace pinflow::sql::internal {

// A file below sql/ of the source tree, as it was when the program was built.
struct EmbeddedFile {
  std::string_view path;  // Relative to sql/: "clean/pin.sql".
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();  // Sorted by path.

}  // namespace pinflow::sql::internal
