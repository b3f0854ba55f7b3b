#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delta/internal/transaction_log.h"
#include "delta/table.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

// The schemaString of our fields: all nullable, without metadata. kInvalid: a type that we do not write, or a
// name that readers refuse.
Result<std::string> format_schema(const std::vector<Field>& fields);

// Reads any table's schemaString; nested types become their words: struct<a:long,b:string>, map<string,long>.
// `has_invariants` becomes true where a column carries delta.invariants, which bind writers.
Result<std::vector<Field>> parse_schema(std::string_view schema, bool& has_invariants);

// The SQL engine's name of a Delta type, as sql::ColumnInfo spells it. kInvalid: a type that it cannot hold.
Result<std::string> engine_type(std::string_view delta_type);

// kInvalid names the first difference between what a SELECT gives and the table's schema.
Result<void> check_columns(const std::vector<Field>& schema, const std::vector<sql::ColumnInfo>& columns);

// kInvalid names the feature that stands in the way of reading, or of writing (which includes reading).
Result<void> check_readable(const Protocol& protocol, const Metadata& metadata);
Result<void> check_writable(const Protocol& protocol, const Metadata& metadata);

}  // namespace pinflow::delta::internal
