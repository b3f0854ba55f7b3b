#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/object_name.h"

namespace pinflow::sink {

// The bytes of an object whose lines these are (sink/object_line.h): as they are, or compressed. JSON only.
Result<std::string> pack_lines(Compression compression, std::string lines);

// The lines of an object of any format and compression that parse_object_name knows, whoever wrote it. kCorrupt: damaged. kInvalid: a
// Parquet object, which no lines can be had from here. Safe from any thread.
Result<std::string> object_lines(const ObjectName& name, std::string bytes);

}  // namespace pinflow::sink
