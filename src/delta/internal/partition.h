#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delta/table.h"

// Partition columns (PROTOCOL.md, "Partition Value Serialization"): they stand in the schema, but their values lie in the
// log beside each file and not in it.
namespace pinflow::delta::internal {

// Accepts the partition columns of a table that we write: of the schema, each once, of a type whose text every reader
// takes the same way, and not all columns. kInvalid names the column.
Result<void> check_partition_columns(const std::vector<Field>& schema, const std::vector<std::string>& columns);

// The fields that data files hold.
std::vector<Field> stored_fields(const std::vector<Field>& schema, const std::vector<std::string>& columns);

// Exactly the partition columns, as the protocol wants them: what is missing becomes null, what is no partition column goes.
PartitionValues complete_values(const PartitionValues& values, const std::vector<std::string>& columns);

// The folder of a partition's files with its '/', or nothing without columns: "day=2026-11-22/". For people and for tools
// that look at paths; readers of Delta take values from the log alone, so characters that paths do not bear well are
// replaced.
std::string partition_folder(const std::vector<std::string>& columns, const PartitionValues& values);

// SQL that turns a partition column into the text of its value; null stands for itself.
std::string value_text_sql(std::string_view column);

// SQL that turns the text of a value, itself an SQL expression, into the column's type. kInvalid: a type that
// no partition column can have.
Result<std::string> typed_value_sql(const Field& field, const std::string& text_sql);

// The SQL literal of a value's text: 'x', or NULL for the empty one.
std::string text_literal(const std::string& value);

// "day, country", or "nothing".
std::string name_columns(const std::vector<std::string>& columns);

}  // namespace pinflow::delta::internal
