#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/object_name.h"

namespace pinflow::sink {

namespace internal {
class ParquetPacker;
}

// The bytes of an object whose lines these are (sink/object_line.h): as they are, or compressed. JSON only.
Result<std::string> pack_lines(Compression compression, std::string lines);

// The lines of objects of any format and compression that parse_object_name knows, also one of the connector's own. Opens an SQL engine for
// the first Parquet object and keeps it. One thread's.
class ObjectUnpacker final {
 public:
  ObjectUnpacker();
  ~ObjectUnpacker();
  ObjectUnpacker(const ObjectUnpacker&) = delete;
  ObjectUnpacker& operator=(const ObjectUnpacker&) = delete;

  // kInvalid: a Parquet file with other columns than the sink's. kCorrupt: damaged.
  Result<std::string> lines(const ObjectName& name, std::string bytes);

 private:
  std::unique_ptr<internal::ParquetPacker> packer_;
};

// The same for one object alone. Safe from any thread.
Result<std::string> object_lines(const ObjectName& name, std::string bytes);

}  // namespace pinflow::sink
