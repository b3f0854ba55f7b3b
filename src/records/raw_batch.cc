#include "records/raw_batch.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/check.h"

namespace pinflow::records {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kMaxRecord = std::size_t{1} << 20;
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxWraps = 3;
constexpr std::size_t kSourceColumnCount = 4;
constexpr std::size_t kNoColumn = SIZE_MAX;

enum class Fault {
  kNone,
  kEmpty,
  kTooLarge,
  kNotUtf8,
  kNotJson,
  kBadEscape,
  kTooDeep,
  kNotObject,
  kTooOftenWrapped,
  kNotOneRecord,
  kMissing,
  kNotWhole,
  kOutOfRange,
  kNotNumber,
  kNotText,
  kMemberEscape,
};

struct Refusal {
  Fault fault = Fault::kNone;
  std::size_t column = kNoColumn;
};

// The value of one column while its record is not yet known to be good. Text is borrowed from the parser's
// buffers.
struct Slot {
  enum class Is { kMissing, kNull, kText, kInteger, kDouble };
  Is is = Is::kMissing;
  std::string_view text;
  std::int64_t integer = 0;
  double number = 0;
};

std::string sentence(const Refusal& refusal, const ColumnBatch& batch) {
  const auto member = [&](std::string_view what) {
    return fmt::format("member '{}' {}", batch.columns()[refusal.column].name(), what);
  };
  switch (refusal.fault) {
    case Fault::kNone:
      break;
    case Fault::kEmpty:
      return "the record is empty";
    case Fault::kTooLarge:
      return "the record is larger than 1 MiB";
    case Fault::kNotUtf8:
      return "the record is not UTF-8";
    case Fault::kNotJson:
      return "the record is not JSON";
    case Fault::kBadEscape:
      return "the record has an escape that is no character";
    case Fault::kTooDeep:
      return "the record is nested deeper than 64 levels";
    case Fault::kNotObject:
      return "the record is not an object";
    case Fault::kTooOftenWrapped:
      return "the record is wrapped more than 3 times";
    case Fault::kNotOneRecord:
      return "the envelope does not hold exactly one record";
    case Fault::kMissing:
      return member("is missing");
    case Fault::kNotWhole:
      return member("is not a whole number");
    case Fault::kOutOfRange:
      return member("is out of range");
    case Fault::kNotNumber:
      return member("is not a number");
    case Fault::kNotText:
      return member("is not text");
    case Fault::kMemberEscape:
      return member("has an escape that is no character");
  }
  CHECK(false, "a record is refused without a fault");
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

// JSON's grammar of numbers, whatever their size.
bool is_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - begin;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

// A value without parts: true, false, null or a number.
bool is_word(std::string_view token) {
  return token == "true" || token == "false" || token == "null" || is_number(token);
}

// Reads the spelling of a number as a whole one. 28.0 is whole; past 2^53 a double no longer says which
// integer it means.
Fault read_integer(std::string_view text, ColumnType type, std::int64_t& value) {
  if (!is_number(text)) return Fault::kNotWhole;
  const char* const end = text.data() + text.size();
  const auto whole = std::from_chars(text.data(), end, value);
  if (whole.ec == std::errc::result_out_of_range && whole.ptr == end) return Fault::kOutOfRange;
  if (whole.ptr != end) {
    double number = 0;
    if (std::from_chars(text.data(), end, number).ec != std::errc()) return Fault::kOutOfRange;
    if (number != std::trunc(number)) return Fault::kNotWhole;
    if (std::abs(number) > 0x1p53) return Fault::kOutOfRange;
    value = static_cast<std::int64_t>(number);
  }
  if (type == ColumnType::kInt32 && value != static_cast<std::int32_t>(value)) return Fault::kOutOfRange;
  return Fault::kNone;
}

Fault read_double(std::string_view text, double& value) {
  if (!is_number(text)) return Fault::kNotNumber;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) return Fault::kOutOfRange;
  return Fault::kNone;
}

// Puts a number's spelling, from a JSON number or out of a string, into a column of numbers.
Fault store_number(std::string_view text, ColumnType type, Slot& slot) {
  Fault fault = Fault::kNone;
  if (type == ColumnType::kDouble) {
    fault = read_double(text, slot.number);
    slot.is = Slot::Is::kDouble;
  } else {
    fault = read_integer(text, type, slot.integer);
    slot.is = Slot::Is::kInteger;
  }
  return fault;
}

Fault wrong_type(ColumnType type) {
  if (type == ColumnType::kText) return Fault::kNotText;
  return type == ColumnType::kDouble ? Fault::kNotNumber : Fault::kNotWhole;
}

}  // namespace

// Walks every token of a record: simdjson's on-demand reader checks only what is visited, and a record that
// is not JSON must be refused here as it is by a reader that checks it whole.
struct RawBatch::Parser {
  explicit Parser(const ColumnBatch& batch)
      : columns(batch.columns()), slots(batch.columns().size() - kSourceColumnCount) {}

  // Fills the slots from a record, through its wrappings.
  Refusal read(std::string_view json);

  // A member without column of the record that was read last; borrowed from the buffers.
  struct Member {
    std::string_view name;
    std::string_view text;  // `"name": value` as it was sent.
  };

 private:
  Refusal read_level(std::string_view json, std::size_t level, std::optional<std::string_view>& inner);
  Refusal read_members(ondemand::document& document, ondemand::object object, bool& has_records);
  Fault read_unknown(ondemand::document& document, ondemand::value value, std::string_view key, const char* quote);
  Refusal unwrap_string(ondemand::document& document, std::optional<std::string_view>& inner);
  Refusal unwrap_envelope(std::string_view padded, std::size_t capacity, std::optional<std::string_view>& inner);
  Fault read_value(ondemand::value value, std::size_t column, int depth, Fault& member);
  Fault read_text(ondemand::value& value, const char* quote, std::string_view& text);
  Fault skip(ondemand::value value, int depth);
  std::size_t find(std::string_view key, std::size_t expected) const;

  const std::vector<Column>& columns;  // Of the batch that owns this parser.
  ondemand::parser json_parser;
  std::array<std::vector<char>, kMaxWraps + 1>
      buffers;                        // One a wrapping: what lies within is borrowed from the one around.
  const char* content_end = nullptr;  // Of the text being read.

 public:
  std::vector<Slot> slots;
  std::vector<Member> unknown;

  // Gives back what long records made it hold.
  void release() {
    for (std::vector<char>& buffer : buffers) std::vector<char>().swap(buffer);
    std::vector<Member>().swap(unknown);
    json_parser = ondemand::parser();
  }
};

namespace {

Refusal refuse(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY:
      return {Fault::kEmpty};
    case simdjson::UTF8_ERROR:
      return {Fault::kNotUtf8};
    default:
      return {Fault::kNotJson};  // simdjson has thirty codes for it.
  }
}

bool at_end(ondemand::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

// The text between the quotes at `quote`, as long as no escape is in it. The reader has seen that the string
// is closed.
std::optional<std::string_view> plain_string(const char* quote, const char* end) {
  const char* const begin = quote + 1;
  const auto* close = static_cast<const char*>(std::memchr(begin, '"', static_cast<std::size_t>(end - begin)));
  if (close == nullptr) return std::nullopt;
  const auto length = static_cast<std::size_t>(close - begin);
  if (std::memchr(begin, '\\', length) != nullptr) return std::nullopt;
  return std::string_view(begin, length);
}

}  // namespace

std::size_t RawBatch::Parser::find(std::string_view key, std::size_t expected) const {
  // Members come in the order of the columns nearly always.
  if (expected < slots.size() && key == columns[expected].name()) return expected;
  for (std::size_t column = 0; column < slots.size(); ++column) {
    if (key == columns[column].name()) return column;
  }
  if (key == "ind" || key == "index") return 0;
  return kNoColumn;
}

Fault RawBatch::Parser::read_text(ondemand::value& value, const char* quote, std::string_view& text) {
  if (const auto plain = plain_string(quote, content_end)) {
    text = *plain;
    // Moves the reader behind the string without copying it.
    return value.get_raw_json_string().error() ? Fault::kNotJson : Fault::kNone;
  }
  if (value.get_string().get(text)) return Fault::kBadEscape;
  return Fault::kNone;
}

// Walks a value that no column takes.
Fault RawBatch::Parser::skip(ondemand::value value, int depth) {
  if (depth > kMaxDepth) return Fault::kTooDeep;
  std::string_view token = value.raw_json_token();
  if (token.empty()) return Fault::kNotJson;
  switch (token.front()) {
    case '"':
      return read_text(value, token.data(), token);
    case '[': {
      ondemand::array array;
      if (value.get_array().get(array)) return Fault::kNotJson;
      for (auto element : array) {
        ondemand::value item;
        if (std::move(element).get(item)) return Fault::kNotJson;
        if (const Fault fault = skip(item, depth + 1); fault != Fault::kNone) return fault;
      }
      return Fault::kNone;
    }
    case '{': {
      ondemand::object object;
      if (value.get_object().get(object)) return Fault::kNotJson;
      for (auto member : object) {
        if (member.error()) return Fault::kNotJson;
        std::string_view key;
        if (member.unescaped_key().get(key)) return Fault::kBadEscape;
        if (const Fault fault = skip(member.value(), depth + 1); fault != Fault::kNone) return fault;
      }
      return Fault::kNone;
    }
    default: {
      return is_word(trim(token)) ? Fault::kNone : Fault::kNotJson;
    }
  }
}

// Reads one value into its column's slot. Returns what makes the record no JSON; `member` gets what makes it
// no row.
Fault RawBatch::Parser::read_value(ondemand::value value, std::size_t column, int depth, Fault& member) {
  Slot& slot = slots[column];
  const ColumnType type = columns[column].type();
  std::string_view token = value.raw_json_token();
  if (token.empty()) return Fault::kNotJson;
  if (token.front() == '"') {
    const Fault fault = read_text(value, token.data(), slot.text);
    if (fault == Fault::kNotJson) return fault;
    if (fault == Fault::kBadEscape) {
      member = Fault::kMemberEscape;
    } else if (type == ColumnType::kText) {
      slot.is = Slot::Is::kText;
    } else if (const std::string_view spelling = trim(slot.text); spelling.empty()) {
      slot.is = Slot::Is::kNull;
    } else {
      member = store_number(spelling, type, slot);
    }
    return Fault::kNone;
  }
  if (token.front() == '{' || token.front() == '[') {
    member = wrong_type(type);
    return skip(value, depth);
  }
  token = trim(token);
  if (token == "null") {
    slot.is = Slot::Is::kNull;
  } else if (token == "true" || token == "false") {
    member = wrong_type(type);
  } else if (!is_number(token)) {
    return Fault::kNotJson;
  } else if (type == ColumnType::kText) {
    slot.text = token;
    slot.is = Slot::Is::kText;
  } else {
    member = store_number(token, type, slot);
  }
  return Fault::kNone;
}

// Walks the value of a member that no column takes, and notes the member. `quote`: where its name begins.
Fault RawBatch::Parser::read_unknown(ondemand::document& document, ondemand::value value, std::string_view key,
                                     const char* quote) {
  const std::string_view token = value.raw_json_token();
  if (const Fault fault = skip(value, 2); fault != Fault::kNone) return fault;
  const char* end = token.data() + token.size();
  if (token.front() == '{' || token.front() == '[') {
    // The reader stands behind its end now, before the next member or the object's own end.
    if (document.current_location().get(end)) return Fault::kNotJson;
  }
  unknown.push_back({key, trim({quote, static_cast<std::size_t>(end - quote)})});
  return Fault::kNone;
}

Refusal RawBatch::Parser::read_members(ondemand::document& document, ondemand::object object, bool& has_records) {
  Refusal first;  // The first member that cannot be read. That the record is no JSON at all weighs more.
  std::size_t expected = 0;
  for (auto result : object) {
    ondemand::field field;
    if (std::move(result).get(field)) return {Fault::kNotJson};
    std::string_view key;
    const char* const quote = field.key().raw() - 1;
    if (const auto plain = plain_string(quote, content_end)) {
      key = *plain;
    } else if (field.unescaped_key().get(key)) {
      return {Fault::kBadEscape};
    }
    const std::size_t column = find(key, expected);
    if (column == kNoColumn) {
      has_records |= key == "records";
      const Fault fault = read_unknown(document, field.value(), key, quote);
      if (fault != Fault::kNone) return {fault};
      continue;
    }
    if (slots[column].is != Slot::Is::kMissing) {
      if (const Fault fault = skip(field.value(), 2); fault != Fault::kNone) return {fault};
      continue;
    }
    Fault member = Fault::kNone;
    const Fault fault = read_value(field.value(), column, 2, member);
    if (fault != Fault::kNone) return {fault};
    if (member != Fault::kNone) {
      slots[column].is = Slot::Is::kNull;
      if (first.fault == Fault::kNone) first = {member, column};
    }
    expected = column + 1;
  }
  return first;
}

Refusal RawBatch::Parser::unwrap_string(ondemand::document& document, std::optional<std::string_view>& inner) {
  std::string_view text;
  if (document.get_string().get(text)) return {Fault::kBadEscape};
  if (!at_end(document)) return {Fault::kNotJson};
  inner = text;
  return {};
}

// Takes the record out of `{"records":[{"value": record}]}`. The text has been walked before: it is JSON.
Refusal RawBatch::Parser::unwrap_envelope(std::string_view padded, std::size_t capacity,
                                          std::optional<std::string_view>& inner) {
  const Refusal not_one{Fault::kNotOneRecord};
  ondemand::document document;
  ondemand::array records;
  std::size_t count = 0;
  if (json_parser.iterate(padded.data(), padded.size(), capacity).get(document)) return not_one;
  if (document["records"].get_array().get(records)) return not_one;
  if (records.count_elements().get(count) || count != 1) return not_one;
  ondemand::value value;
  ondemand::object object;
  std::string_view text;
  if (records.at(0).get_object().get(object) || object["value"].get(value)) return not_one;
  text = value.raw_json_token();
  if (text.empty()) return not_one;
  if (text.front() == '"') {
    if (value.get_string().get(text)) return not_one;
  } else if (text.front() != '{' || value.get_object().get(object) || object.raw_json().get(text)) {
    return not_one;
  }
  inner = text;
  return {};
}

Refusal RawBatch::Parser::read_level(std::string_view json, std::size_t level, std::optional<std::string_view>& inner) {
  std::vector<char>& buffer = buffers[level];
  const std::size_t capacity = json.size() + simdjson::SIMDJSON_PADDING;
  if (buffer.size() < capacity) buffer.resize(std::max(capacity, buffer.size() * 2));
  std::memcpy(buffer.data(), json.data(), json.size());
  // What lies behind the text must not look like its continuation.
  std::memset(buffer.data() + json.size(), ' ', simdjson::SIMDJSON_PADDING);
  content_end = buffer.data() + json.size();
  for (Slot& slot : slots) slot.is = Slot::Is::kMissing;
  unknown.clear();

  ondemand::document document;
  if (const auto error = json_parser.iterate(buffer.data(), json.size(), buffer.size()).get(document)) {
    return refuse(error);
  }
  ondemand::json_type type;
  if (document.type().get(type)) return {Fault::kNotJson};
  if (type == ondemand::json_type::string) return unwrap_string(document, inner);
  if (type == ondemand::json_type::array) return {Fault::kNotObject};
  if (type != ondemand::json_type::object) return {is_word(trim(json)) ? Fault::kNotObject : Fault::kNotJson};
  ondemand::object object;
  if (document.get_object().get(object)) return {Fault::kNotJson};
  bool has_records = false;
  const Refusal refusal = read_members(document, object, has_records);
  if (refusal.fault != Fault::kNone && refusal.column == kNoColumn) return refusal;
  if (!at_end(document)) return {Fault::kNotJson};
  if (refusal.fault != Fault::kNone) return refusal;
  if (slots[0].is == Slot::Is::kInteger) return {};
  if (has_records) return unwrap_envelope({buffer.data(), json.size()}, buffer.size(), inner);
  return {Fault::kMissing, 0};
}

Refusal RawBatch::Parser::read(std::string_view json) {
  if (json.empty()) return {Fault::kEmpty};
  if (json.size() > kMaxRecord) return {Fault::kTooLarge};
  for (std::size_t level = 0; level <= kMaxWraps; ++level) {
    std::optional<std::string_view> inner;
    const Refusal refusal = read_level(json, level, inner);
    if (!inner) return refusal;
    if (inner->empty()) return {Fault::kEmpty};
    json = *inner;
  }
  return {Fault::kTooOftenWrapped};
}

DeadLetters::DeadLetters() {
  std::vector<Column> columns = source_columns();
  columns.emplace_back("kind", ColumnType::kText);
  columns.emplace_back("reason", ColumnType::kText);
  columns.emplace_back("raw", ColumnType::kBytes);
  batch_ = ColumnBatch(std::move(columns));
}

namespace {
void append_source(ColumnBatch& batch, std::size_t first, const Source& source) {
  batch.column(first).append_text(source.topic);
  batch.column(first + 1).append_integer(source.partition);
  batch.column(first + 2).append_integer(source.offset);
  if (source.arrived) {
    using std::chrono::microseconds;
    batch.column(first + 3).append_integer(microseconds(source.arrived->time_since_epoch()).count());
  } else {
    batch.column(first + 3).append_null();
  }
}
}  // namespace

void DeadLetters::add(const Source& source, std::optional<Kind> kind, std::string_view reason,
                      std::optional<std::string_view> raw) {
  append_source(batch_, 0, source);
  Column& kind_column = batch_.column(kSourceColumnCount);
  kind ? kind_column.append_text(to_string(*kind)) : kind_column.append_null();
  batch_.column(kSourceColumnCount + 1).append_text(reason);
  Column& raw_column = batch_.column(kSourceColumnCount + 2);
  raw ? raw_column.append_text(*raw) : raw_column.append_null();
}

namespace {
ColumnBatch rows_of(Kind kind) {
  std::vector<Column> columns = raw_columns(kind);
  for (Column& column : source_columns()) columns.push_back(std::move(column));
  return ColumnBatch(std::move(columns));
}
ColumnBatch members_of_rows() {
  return ColumnBatch({{"source_partition", ColumnType::kInt32},
                      {"source_offset", ColumnType::kInt64},
                      {std::string(RawBatch::kUnknownMembers), ColumnType::kText}});
}
}  // namespace

RawBatch::RawBatch(Kind kind, Unknown unknown)
    : kind_(kind), unknown_(unknown), batch_(rows_of(kind)), kept_members_(members_of_rows()) {
  parser_ = std::make_unique<Parser>(batch_);
}

RawBatch::~RawBatch() = default;

Result<void> RawBatch::add(std::string_view json, const Source& source) {
  if (const Refusal refusal = parser_->read(json); refusal.fault != Fault::kNone) {
    return fail(ErrorCode::kInvalid, sentence(refusal, batch_));
  }
  const std::size_t members = parser_->slots.size();
  for (std::size_t i = 0; i < members; ++i) {
    const Slot& slot = parser_->slots[i];
    Column& column = batch_.column(i);
    switch (slot.is) {
      case Slot::Is::kMissing:
      case Slot::Is::kNull:
        column.append_null();
        break;
      case Slot::Is::kText:
        column.append_text(slot.text);
        break;
      case Slot::Is::kInteger:
        column.append_integer(slot.integer);
        break;
      case Slot::Is::kDouble:
        column.append_double(slot.number);
        break;
    }
  }
  append_source(batch_, members, source);
  if (!parser_->unknown.empty()) note_unknown(source);
  return {};
}

void RawBatch::note_unknown(const Source& source) {
  for (const Parser::Member& member : parser_->unknown) unknown_members_.count(member.name, source);
  if (unknown_ == Unknown::kLeaveOut) return;
  std::string object;
  for (const Parser::Member& member : parser_->unknown) {
    object += object.empty() ? '{' : ',';
    object += member.text;
  }
  object += '}';
  kept_members_.column(0).append_integer(source.partition);
  kept_members_.column(1).append_integer(source.offset);
  kept_members_.column(2).append_text(object);
}

void RawBatch::clear() {
  batch_.clear();
  kept_members_.clear();
  unknown_members_.clear();
}

void RawBatch::release() {
  batch_ = rows_of(kind_);
  kept_members_ = members_of_rows();
  unknown_members_.clear();
  parser_->release();
}

}  // namespace pinflow::records
