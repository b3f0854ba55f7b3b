#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/json.h"
#include "doors/kinesis/protocol.h"

namespace pinflow::doors::kinesis {

namespace {

// Major types of CBOR (RFC 8949, section 3.1), already in their place of the first byte.
constexpr unsigned kUnsigned = 0 << 5;
constexpr unsigned kNegative = 1 << 5;
constexpr unsigned kBytes = 2 << 5;
constexpr unsigned kText = 3 << 5;
constexpr unsigned kTag = 6 << 5;
constexpr char kOpenList = '\x9f';
constexpr char kOpenMap = '\xbf';
constexpr char kBreak = '\xff';
constexpr char kFalse = '\xf4';
constexpr char kTrue = '\xf5';
constexpr char kDouble = '\xfb';
constexpr unsigned kEpochTime = 1;  // The tag.

void put_big_endian(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

// The first byte of an item and the number that belongs to it, in as few bytes as hold it.
void put_head(std::string& out, unsigned major, std::uint64_t number) {
  if (number < 24) {
    out += static_cast<char>(major | number);
    return;
  }
  const int size = number <= 0xff ? 0 : number <= 0xffff ? 1 : number <= 0xffff'ffff ? 2 : 3;
  out += static_cast<char>(major | static_cast<unsigned>(24 + size));
  put_big_endian(out, number, 1 << size);
}

void put_integer(std::string& out, std::int64_t value) {
  // Minus one less than the number is what CBOR stores of a negative one: its bits turned over.
  put_head(out, value < 0 ? kNegative : kUnsigned, static_cast<std::uint64_t>(value < 0 ? ~value : value));
}

void put_decimal(std::string& out, std::int64_t value) {
  std::array<char, 20> text;
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

// Plain seconds with three decimals: clients read a time in exponent form wrongly.
void put_seconds(std::string& out, std::int64_t milliseconds) {
  if (milliseconds < 0) out += '-';
  const std::uint64_t size =
      milliseconds < 0 ? ~static_cast<std::uint64_t>(milliseconds) + 1 : static_cast<std::uint64_t>(milliseconds);
  put_decimal(out, static_cast<std::int64_t>(size / 1000));
  const auto rest = static_cast<unsigned>(size % 1000);
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

}  // namespace

void Writer::separate() {
  if (encoding_ == Encoding::kJson && !first_) out_ += ',';
  first_ = false;
}

Writer& Writer::begin_structure() {
  separate();
  out_ += encoding_ == Encoding::kJson ? '{' : kOpenMap;
  first_ = true;
  return *this;
}

Writer& Writer::end_structure() {
  out_ += encoding_ == Encoding::kJson ? '}' : kBreak;
  first_ = false;
  return *this;
}

Writer& Writer::member(std::string_view name) {
  text(name);
  if (encoding_ == Encoding::kJson) out_ += ':';
  first_ = true;  // No comma before the value.
  return *this;
}

Writer& Writer::begin_list() {
  separate();
  out_ += encoding_ == Encoding::kJson ? '[' : kOpenList;
  first_ = true;
  return *this;
}

Writer& Writer::end_list() {
  out_ += encoding_ == Encoding::kJson ? ']' : kBreak;
  first_ = false;
  return *this;
}

Writer& Writer::text(std::string_view value) {
  separate();
  if (encoding_ == Encoding::kJson) {
    append_json_string(out_, value);
  } else {
    put_head(out_, kText, value.size());
    out_ += value;
  }
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  separate();
  if (encoding_ == Encoding::kJson) {
    put_decimal(out_, value);
  } else {
    put_integer(out_, value);
  }
  return *this;
}

Writer& Writer::decimal(double value) {
  separate();
  if (encoding_ == Encoding::kCbor) {
    out_ += kDouble;
    put_big_endian(out_, std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  std::array<char, 400>
      text;  // The longest double in plain form has 309 digits before the point, or 324 places after it.
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (std::isfinite(value) && end.ec == std::errc()) {
    out_.append(text.data(), end.ptr);
  } else {
    out_ += "null";
  }
  return *this;
}

Writer& Writer::boolean(bool value) {
  separate();
  if (encoding_ == Encoding::kJson) {
    out_ += value ? "true" : "false";
  } else {
    out_ += value ? kTrue : kFalse;
  }
  return *this;
}

Writer& Writer::blob(std::string_view bytes) {
  separate();
  if (encoding_ == Encoding::kJson) {
    out_ += '"';
    append_base64(out_, bytes);
    out_ += '"';
  } else {
    put_head(out_, kBytes, bytes.size());
    out_ += bytes;
  }
  return *this;
}

Writer& Writer::time(WallTime value) {
  separate();
  const std::int64_t milliseconds = value.time_since_epoch().count();
  if (encoding_ == Encoding::kJson) {
    put_seconds(out_, milliseconds);
  } else {
    put_head(out_, kTag, kEpochTime);
    put_integer(out_, milliseconds);
  }
  return *this;
}

}  // namespace pinflow::doors::kinesis
