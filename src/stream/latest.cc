#include "stream/latest.h"

#include <fmt/format.h>

namespace pinflow::stream {

std::string latest_per_ind(std::string_view select) {
  return fmt::format(
      "SELECT * FROM ({}) QUALIFY row_number() OVER "
      "(PARTITION BY ind ORDER BY source_offset DESC, source_partition DESC, source_topic) = 1",
      select);
}

}  // namespace pinflow::stream
