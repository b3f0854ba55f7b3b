#include "base/columns.h"

#include <limits>

#include "base/check.h"

namespace pinflow {

std::string_view to_string(ColumnType type) {
  switch (type) {
    case ColumnType::kBoolean:
      return "boolean";
    case ColumnType::kInt32:
      return "integer";
    case ColumnType::kInt64:
      return "long";
    case ColumnType::kDouble:
      return "double";
    case ColumnType::kText:
      return "text";
    case ColumnType::kBytes:
      return "bytes";
    case ColumnType::kTimestamp:
      return "timestamp";
  }
  CHECK(false, "a column type outside its enum");
}

void Column::append_null() {
  valid_.push_back(0);
  if (is_text()) {
    text_ends_.push_back(text_.size());
  } else if (type_ == ColumnType::kDouble) {
    doubles_.push_back(0);
  } else {
    integers_.push_back(0);
  }
}

void Column::append_integer(std::int64_t value) {
  CHECK(!is_text() && type_ != ColumnType::kDouble, "an integer for a column of another type");
  CHECK(type_ != ColumnType::kInt32 ||
            (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()),
        "an integer wider than its column");
  valid_.push_back(1);
  integers_.push_back(value);
}

void Column::append_double(double value) {
  CHECK(type_ == ColumnType::kDouble, "a double for a column of another type");
  valid_.push_back(1);
  doubles_.push_back(value);
}

void Column::append_text(std::string_view value) {
  CHECK(is_text(), "a text for a column of another type");
  valid_.push_back(1);
  text_.append(value);
  text_ends_.push_back(text_.size());
}

std::string_view Column::text_at(std::size_t row) const {
  const std::uint64_t begin = row == 0 ? 0 : text_ends_[row - 1];
  return std::string_view(text_).substr(begin, text_ends_[row] - begin);
}

std::size_t Column::memory() const {
  return valid_.size() + text_.size() + 8 * (integers_.size() + doubles_.size() + text_ends_.size());
}

void Column::clear() {
  valid_.clear();
  integers_.clear();
  doubles_.clear();
  text_.clear();
  text_ends_.clear();
}

std::size_t ColumnBatch::rows() const {
  if (columns_.empty()) return 0;
  for (const Column& column : columns_) CHECK(column.size() == columns_.front().size(), "columns of unequal length");
  return columns_.front().size();
}

std::size_t ColumnBatch::memory() const {
  std::size_t sum = 0;
  for (const Column& column : columns_) sum += column.memory();
  return sum;
}

void ColumnBatch::clear() {
  for (Column& column : columns_) column.clear();
}

}  // namespace pinflow
