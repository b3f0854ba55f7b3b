#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/json.h"
#include "records/raw_batch.h"

namespace pinflow::records {

namespace {

void append_integer(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {  // JSON has no such number.
    out += "null";
    return;
  }
  char digits[32];
  const std::string_view text(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  out += text;
  // 5 would be read as a whole number by those who infer types from what they see.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_cell(std::string& out, const Column& column, std::size_t row) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type()) {
    case ColumnType::kInt32:
    case ColumnType::kInt64:
      append_integer(out, column.integer_at(row));
      return;
    case ColumnType::kDouble:
      append_double(out, column.double_at(row));
      return;
    case ColumnType::kText:
      append_json_string(out, column.text_at(row));
      return;
    case ColumnType::kBoolean:
    case ColumnType::kBytes:
    case ColumnType::kTimestamp:
      break;
  }
  CHECK(false, "a raw record has a column of a type that no raw record has");
}

}  // namespace

void append_json_record(std::string& out, const ColumnBatch& batch, std::size_t row) {
  out += '{';
  for (std::size_t i = 0; i < batch.columns().size(); ++i) {
    const Column& column = batch.columns()[i];
    if (column.name() == "source_topic") break;
    if (i > 0) out += ',';
    append_json_string(out, column.name());
    out += ':';
    append_cell(out, column, row);
  }
  out += '}';
}

}  // namespace pinflow::records
