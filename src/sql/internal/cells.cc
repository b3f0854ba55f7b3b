#include "sql/internal/cells.h"

#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/check.h"
#include "base/json.h"
#include "sql/internal/handles.h"

namespace pinflow::sql::internal {

namespace {

using Integer128 = __int128;
using Unsigned128 = unsigned __int128;

struct EngineFree {
  void operator()(char* text) const { duckdb_free(text); }
};
using EngineText = std::unique_ptr<char, EngineFree>;

template <class T>
T cell(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

Value whole_number(Integer128 value) {
  if (value >= INT64_MIN && value <= INT64_MAX) return {static_cast<std::int64_t>(value)};
  return {fmt::format("{}", value)};
}

Value huge_number(duckdb_uhugeint value) {
  const Unsigned128 whole = (Unsigned128{value.upper} << 64) | value.lower;
  if (whole <= Unsigned128{INT64_MAX}) return {static_cast<std::int64_t>(whole)};
  return {fmt::format("{}", whole)};
}

Integer128 join(duckdb_hugeint value) {
  return static_cast<Integer128>((Unsigned128{static_cast<std::uint64_t>(value.upper)} << 64) | value.lower);
}

// A decimal's digits as they are stored, by the width of its storage.
Integer128 decimal_digits(duckdb_vector vector, duckdb_type storage, idx_t row) {
  if (storage == DUCKDB_TYPE_SMALLINT) return cell<std::int16_t>(vector, row);
  if (storage == DUCKDB_TYPE_INTEGER) return cell<std::int32_t>(vector, row);
  if (storage == DUCKDB_TYPE_BIGINT) return cell<std::int64_t>(vector, row);
  return join(cell<duckdb_hugeint>(vector, row));
}

// "-12.05" of -1205 with two places.
std::string decimal_text(Integer128 digits, std::uint8_t scale) {
  const Unsigned128 size = digits < 0 ? ~static_cast<Unsigned128>(digits) + 1 : static_cast<Unsigned128>(digits);
  std::string text = fmt::format("{:0>{}}", fmt::format("{}", size), scale + 1);
  text.insert(text.size() - scale, ".");
  return (digits < 0 ? "-" : "") + text;
}

Value decimal_cell(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const Integer128 digits = decimal_digits(vector, duckdb_decimal_internal_type(type), row);
  const std::uint8_t scale = duckdb_decimal_scale(type);
  if (scale == 0) return whole_number(digits);
  // More digits than a double tells apart, as of whole numbers beyond 64 bits.
  constexpr Integer128 kExact = Integer128{1} << 53;
  if (digits > kExact || digits < -kExact) return {decimal_text(digits, scale)};
  duckdb_decimal decimal{};
  decimal.width = duckdb_decimal_width(type);
  decimal.scale = scale;
  decimal.value.lower = static_cast<std::uint64_t>(digits);
  decimal.value.upper = static_cast<std::int64_t>(digits >> 64);
  return {duckdb_decimal_to_double(decimal)};
}

// The engine renders a single value of the types that have no C++ form of ours.
Value rendered(duckdb_value value) {
  Handle<duckdb_value, duckdb_destroy_value> owned(value);
  // Rendered as a literal of SQL: 'text' or 'text'::TYPE; only what lies between the quotes is the value.
  const EngineText text(duckdb_value_to_string(owned.get()));
  std::string_view body = text == nullptr ? "" : text.get();
  if (const auto close = body.rfind('\''); body.starts_with('\'') && close > 0) body = body.substr(1, close - 1);
  return {std::string(body)};
}

std::string enum_cell(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const duckdb_type storage = duckdb_enum_internal_type(type);
  const idx_t index = storage == DUCKDB_TYPE_UTINYINT    ? cell<std::uint8_t>(vector, row)
                      : storage == DUCKDB_TYPE_USMALLINT ? cell<std::uint16_t>(vector, row)
                                                         : cell<std::uint32_t>(vector, row);
  return EngineText(duckdb_enum_dictionary_value(type, index)).get();
}

List list_cells(duckdb_vector child, duckdb_logical_type child_type, idx_t begin, idx_t count) {
  List list;
  list.reserve(count);
  for (idx_t i = 0; i < count; ++i) list.push_back(read_cell(child, child_type, begin + i));
  return list;
}

void append_member(std::string& json, std::string_view key, const Value& value, bool is_document) {
  if (json.size() > 1) json += ',';
  append_json_string(json, key);
  json += ':';
  // Structs and maps inside arrive as JSON already.
  if (const auto* text = std::get_if<std::string>(&value.data); is_document && text != nullptr) {
    json += *text;
  } else {
    value.append_json(json);
  }
}

bool is_document(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  return id == DUCKDB_TYPE_STRUCT || id == DUCKDB_TYPE_MAP || id == DUCKDB_TYPE_UNION;
}

std::string struct_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  std::string json = "{";
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const LogicalType child(duckdb_struct_type_child_type(type, i));
    const EngineText name(duckdb_struct_type_child_name(type, i));
    append_member(json, name.get(), read_cell(duckdb_struct_vector_get_child(vector, i), child.get(), row),
                  is_document(child.get()));
  }
  return json + "}";
}

std::string map_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const auto entry = cell<duckdb_list_entry>(vector, row);
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  const LogicalType key_type(duckdb_map_type_key_type(type));
  const LogicalType value_type(duckdb_map_type_value_type(type));
  std::string json = "{";
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    append_member(json, read_cell(duckdb_struct_vector_get_child(pairs, 0), key_type.get(), i).to_text(),
                  read_cell(duckdb_struct_vector_get_child(pairs, 1), value_type.get(), i),
                  is_document(value_type.get()));
  }
  return json + "}";
}

// A union is a struct of a tag and all members; only the tagged one counts.
std::string union_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const idx_t tag = cell<std::uint8_t>(duckdb_struct_vector_get_child(vector, 0), row);
  const LogicalType member(duckdb_union_type_member_type(type, tag));
  const EngineText name(duckdb_union_type_member_name(type, tag));
  std::string json = "{";
  append_member(json, name.get(), read_cell(duckdb_struct_vector_get_child(vector, tag + 1), member.get(), row),
                is_document(member.get()));
  return json + "}";
}

// The first byte that breaks UTF-8, or npos.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    std::uint64_t eight = 0;
    if (i + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + i, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        i += 8;
        continue;
      }
    }
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
    const unsigned lead = byte(i);
    const std::size_t more = lead < 0x80                    ? 0
                             : lead >= 0xC2 && lead <= 0xDF ? 1
                             : lead >= 0xE0 && lead <= 0xEF ? 2
                             : lead >= 0xF0 && lead <= 0xF4 ? 3
                                                            : 9;
    if (more == 9) return i;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80) return i;
    }
    const unsigned second = byte(i + 1);
    // Overlong forms, surrogates, and what lies above U+10FFFF.
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F)) {
      return i;
    }
    i += more + 1;
  }
  return std::string_view::npos;
}

// The engine's own form of a text, which points at long ones.
void lend_texts(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  auto* out = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  for (std::size_t i = 0; i < count; ++i) {
    if (column.is_null(begin + i)) continue;
    const std::string_view text = column.text_at(begin + i);
    duckdb_string_t& value = out[i];
    value.value.inlined.length = static_cast<std::uint32_t>(text.size());
    if (text.size() <= sizeof(value.value.inlined.inlined)) {
      std::memset(value.value.inlined.inlined, 0, sizeof(value.value.inlined.inlined));
      if (!text.empty()) std::memcpy(value.value.inlined.inlined, text.data(), text.size());
    } else {
      std::memcpy(value.value.pointer.prefix, text.data(), sizeof(value.value.pointer.prefix));
      value.value.pointer.ptr = const_cast<char*>(text.data());  // It is only read.
    }
  }
}

void fill_texts(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  for (std::size_t i = 0; i < count; ++i) {
    if (column.is_null(begin + i)) continue;
    const std::string_view text = column.text_at(begin + i);
    duckdb_vector_assign_string_element_len(vector, i, text.data(), text.size());
  }
}

template <class T>
void fill_integers(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  T* out = static_cast<T*>(duckdb_vector_get_data(vector));
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<T>(column.integer_at(begin + i));
}

}  // namespace

bool is_null(duckdb_vector vector, idx_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

std::string_view text_cell(duckdb_vector vector, idx_t row) {
  auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector)) + row;
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

Value read_cell(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  if (is_null(vector, row)) return {};
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return {cell<bool>(vector, row)};
    case DUCKDB_TYPE_TINYINT:
      return whole_number(cell<std::int8_t>(vector, row));
    case DUCKDB_TYPE_SMALLINT:
      return whole_number(cell<std::int16_t>(vector, row));
    case DUCKDB_TYPE_INTEGER:
      return whole_number(cell<std::int32_t>(vector, row));
    case DUCKDB_TYPE_BIGINT:
      return {cell<std::int64_t>(vector, row)};
    case DUCKDB_TYPE_UTINYINT:
      return whole_number(cell<std::uint8_t>(vector, row));
    case DUCKDB_TYPE_USMALLINT:
      return whole_number(cell<std::uint16_t>(vector, row));
    case DUCKDB_TYPE_UINTEGER:
      return whole_number(cell<std::uint32_t>(vector, row));
    case DUCKDB_TYPE_UBIGINT:
      return whole_number(cell<std::uint64_t>(vector, row));
    case DUCKDB_TYPE_HUGEINT:
      return whole_number(join(cell<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_UHUGEINT:
      return huge_number(cell<duckdb_uhugeint>(vector, row));
    case DUCKDB_TYPE_FLOAT:
      return {static_cast<double>(cell<float>(vector, row))};
    case DUCKDB_TYPE_DOUBLE:
      return {cell<double>(vector, row)};
    case DUCKDB_TYPE_DECIMAL:
      return decimal_cell(vector, type, row);
    case DUCKDB_TYPE_VARCHAR:
      return {std::string(text_cell(vector, row))};
    case DUCKDB_TYPE_BLOB:
      return {Bytes{std::string(text_cell(vector, row))}};
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {Timestamp{cell<std::int64_t>(vector, row)}};
    case DUCKDB_TYPE_ENUM:
      return {enum_cell(vector, type, row)};
    case DUCKDB_TYPE_DATE:
      return rendered(duckdb_create_date(cell<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return rendered(duckdb_create_time(cell<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIME_NS:
      return rendered(duckdb_create_time_ns(cell<duckdb_time_ns>(vector, row)));
    case DUCKDB_TYPE_TIME_TZ:
      return rendered(duckdb_create_time_tz_value(cell<duckdb_time_tz>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return rendered(duckdb_create_timestamp_s(cell<duckdb_timestamp_s>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return rendered(duckdb_create_timestamp_ms(cell<duckdb_timestamp_ms>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return rendered(duckdb_create_timestamp_ns(cell<duckdb_timestamp_ns>(vector, row)));
    case DUCKDB_TYPE_INTERVAL:
      return rendered(duckdb_create_interval(cell<duckdb_interval>(vector, row)));
    case DUCKDB_TYPE_UUID: {
      // Stored with its highest bit flipped, so that UUIDs sort as signed numbers.
      auto stored = cell<duckdb_uhugeint>(vector, row);
      stored.upper ^= std::uint64_t{1} << 63;
      return rendered(duckdb_create_uuid(stored));
    }
    case DUCKDB_TYPE_LIST: {
      const auto entry = cell<duckdb_list_entry>(vector, row);
      const LogicalType child(duckdb_list_type_child_type(type));
      return {list_cells(duckdb_list_vector_get_child(vector), child.get(), entry.offset, entry.length)};
    }
    case DUCKDB_TYPE_ARRAY: {
      const LogicalType child(duckdb_array_type_child_type(type));
      const idx_t size = duckdb_array_type_array_size(type);
      return {list_cells(duckdb_array_vector_get_child(vector), child.get(), row * size, size)};
    }
    case DUCKDB_TYPE_STRUCT:
      return {struct_json(vector, type, row)};
    case DUCKDB_TYPE_MAP:
      return {map_json(vector, type, row)};
    case DUCKDB_TYPE_UNION:
      return {union_json(vector, type, row)};
    case DUCKDB_TYPE_BIT:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_SQLNULL:
    case DUCKDB_TYPE_INVALID:
    case DUCKDB_TYPE_ANY:
    case DUCKDB_TYPE_STRING_LITERAL:
    case DUCKDB_TYPE_INTEGER_LITERAL:
      return {fmt::format("<{}: cast it to VARCHAR>", type_name(type))};
  }
  CHECK(false, "an engine type outside its enum");
}

std::string type_name(duckdb_logical_type type) {
  if (const EngineText alias(duckdb_logical_type_get_alias(type)); alias != nullptr) return alias.get();
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_INVALID:
      return "INVALID";
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_TIME_NS:
      return "TIME_NS";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_ENUM:
      return "ENUM";
    case DUCKDB_TYPE_LIST:
      return type_name(LogicalType(duckdb_list_type_child_type(type)).get()) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return fmt::format("{}[{}]", type_name(LogicalType(duckdb_array_type_child_type(type)).get()),
                         duckdb_array_type_array_size(type));
    case DUCKDB_TYPE_STRUCT: {
      std::string name = "STRUCT(";
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        if (i > 0) name += ", ";
        name += quote_name(EngineText(duckdb_struct_type_child_name(type, i)).get()) + " " +
                type_name(LogicalType(duckdb_struct_type_child_type(type, i)).get());
      }
      return name + ")";
    }
    case DUCKDB_TYPE_MAP:
      return fmt::format("MAP({}, {})", type_name(LogicalType(duckdb_map_type_key_type(type)).get()),
                         type_name(LogicalType(duckdb_map_type_value_type(type)).get()));
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_UNION:
      return "UNION";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_ANY:
      return "ANY";
    case DUCKDB_TYPE_BIGNUM:
      return "BIGNUM";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    case DUCKDB_TYPE_STRING_LITERAL:
      return "STRING_LITERAL";
    case DUCKDB_TYPE_INTEGER_LITERAL:
      return "INTEGER_LITERAL";
  }
  CHECK(false, "an engine type outside its enum");
}

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::kBoolean:
      return "BOOLEAN";
    case ColumnType::kInt32:
      return "INTEGER";
    case ColumnType::kInt64:
      return "BIGINT";
    case ColumnType::kDouble:
      return "DOUBLE";
    case ColumnType::kText:
      return "VARCHAR";
    case ColumnType::kBytes:
      return "BLOB";
    case ColumnType::kTimestamp:
      return "TIMESTAMPTZ";
  }
  CHECK(false, "a column type outside its enum");
}

duckdb_type engine_type(ColumnType type) {
  switch (type) {
    case ColumnType::kBoolean:
      return DUCKDB_TYPE_BOOLEAN;
    case ColumnType::kInt32:
      return DUCKDB_TYPE_INTEGER;
    case ColumnType::kInt64:
      return DUCKDB_TYPE_BIGINT;
    case ColumnType::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case ColumnType::kText:
      return DUCKDB_TYPE_VARCHAR;
    case ColumnType::kBytes:
      return DUCKDB_TYPE_BLOB;
    case ColumnType::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
  }
  CHECK(false, "a column type outside its enum");
}

Result<void> check_text(const Column& column) {
  if (column.type() != ColumnType::kText) return {};
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (const std::size_t bad = first_bad_byte(column.text_at(row)); bad != std::string_view::npos) {
      return fail(
          ErrorCode::kInvalid,
          fmt::format("column {} row {}: the text is not UTF-8 at byte {}; load it as bytes, or mend the source",
                      column.name(), row, bad));
    }
  }
  return {};
}

namespace {

void fill_validity(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  std::uint64_t* validity = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    if (!column.is_null(begin + i)) continue;
    if (validity == nullptr) {
      duckdb_vector_ensure_validity_writable(vector);
      validity = duckdb_vector_get_validity(vector);
    }
    validity[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  }
}

void fill_numbers(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  switch (column.type()) {
    case ColumnType::kBoolean:
      return fill_integers<bool>(column, begin, count, vector);
    case ColumnType::kInt32:
      return fill_integers<std::int32_t>(column, begin, count, vector);
    case ColumnType::kInt64:
    case ColumnType::kTimestamp:
      return fill_integers<std::int64_t>(column, begin, count, vector);
    case ColumnType::kDouble: {
      auto* out = static_cast<double*>(duckdb_vector_get_data(vector));
      for (std::size_t i = 0; i < count; ++i) out[i] = column.double_at(begin + i);
      return;
    }
    case ColumnType::kText:
    case ColumnType::kBytes:
      break;
  }
  CHECK(false, "a column that holds no numbers");
}

bool holds_texts(const Column& column) {
  return column.type() == ColumnType::kText || column.type() == ColumnType::kBytes;
}

}  // namespace

void fill_vector(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  fill_validity(column, begin, count, vector);
  if (holds_texts(column)) return fill_texts(column, begin, count, vector);
  fill_numbers(column, begin, count, vector);
}

void lend_vector(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector) {
  fill_validity(column, begin, count, vector);
  if (holds_texts(column)) return lend_texts(column, begin, count, vector);
  fill_numbers(column, begin, count, vector);
}

}  // namespace pinflow::sql::internal
