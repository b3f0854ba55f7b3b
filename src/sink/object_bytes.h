#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/object_name.h"

namespace pinflow::sink {

// The bytes of an object whose lines these are (sink/object_line.h): as they are, or compressed. JSON only.
Result<std::string> pack_lines(Compression compression, std::string lines);

// The lines of an object of any format and compression that parse_object_name knows, also one of the connector's own, but for Parquet
// files with other columns than the sink's: kInvalid. kCorrupt: damaged. Safe from any thread; opens an SQL engine for Parquet.
Result<std::string> object_lines(const ObjectName& name, std::string bytes);

}  // namespace pinflow::sink
