#pragma once

#include <string>
#include <string_view>

namespace pinflow::delta::internal {

// The name of a data file below its table's folder; paths in the log are URI-encoded (PROTOCOL.md, "Add File").
std::string decode_path(std::string_view path);

}  // namespace pinflow::delta::internal
