#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinflow {

// The types that raw and cleaned columns take between our parts and the SQL engine.
enum class ColumnType {
  kBoolean,
  kInt32,
  kInt64,
  kDouble,
  kText,
  kBytes,
  kTimestamp
};  // kTimestamp: microseconds, UTC.

std::string_view to_string(ColumnType type);

// One typed column of nullable values in memory: numbers in one vector, texts end to end in one buffer.
// Appends are amortised O(1). Not thread-safe while appended to; a value type. Appending or reading as a
// wrong type is a CHECK.
class Column {
 public:
  Column(std::string name, ColumnType type) : name_(std::move(name)), type_(type) {}

  void append_null();
  void append_integer(std::int64_t value);  // kBoolean, kInt32 (must fit), kInt64, kTimestamp.
  void append_double(double value);
  void append_text(std::string_view value);  // kText (must be UTF-8), kBytes.

  std::string_view name() const { return name_; }
  ColumnType type() const { return type_; }
  std::size_t size() const { return valid_.size(); }
  bool is_null(std::size_t row) const { return !valid_[row]; }
  std::int64_t integer_at(std::size_t row) const { return integers_[row]; }
  double double_at(std::size_t row) const { return doubles_[row]; }
  std::string_view text_at(std::size_t row) const;
  // Bytes held, for bounding memory.
  std::size_t memory() const;
  void clear();

 private:
  bool is_text() const { return type_ == ColumnType::kText || type_ == ColumnType::kBytes; }
  std::string name_;
  ColumnType type_;
  std::vector<std::uint8_t> valid_;
  std::vector<std::int64_t> integers_;
  std::vector<double> doubles_;
  std::string text_;
  std::vector<std::uint64_t> text_ends_;  // End of each text in text_; its start is the end before it.
};

// Columns of equal length. Whoever appends keeps them equal; rows() checks it.
class ColumnBatch {
 public:
  ColumnBatch() = default;
  explicit ColumnBatch(std::vector<Column> columns) : columns_(std::move(columns)) {}
  std::size_t rows() const;
  std::size_t memory() const;
  Column& column(std::size_t index) { return columns_[index]; }
  const std::vector<Column>& columns() const { return columns_; }
  void clear();

 private:
  std::vector<Column> columns_;
};

}  // namespace pinflow
