#pragma once

#include <string>

#include "base/result.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::delta {

// What a table holds, whatever the order and the files of its rows, as one JSON object on one line:
// {"table":"pins","version":7,"rows":3,"columns":{"ind":{"nulls":0,"checksum":"123"},...}}. interop/delta makes the same
// line with foreign readers; docs/formats/delta.md says how a checksum is made. kInvalid: nested columns but arrays.
Result<std::string> fingerprint(objects::ObjectStore& store, sql::Engine& engine, const std::string& name);

}  // namespace pinflow::delta
