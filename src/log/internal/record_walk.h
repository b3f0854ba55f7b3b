#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "log/internal/bytes.h"

namespace pinflow::log {

// A record as it lies in a batch, without its headers taken apart.
struct RawRecord {
  std::string_view bytes;  // Whole, from its length on.
  std::int64_t timestamp_delta = 0;
  std::int64_t offset_delta = 0;
  std::optional<std::string_view> key;
  bool has_value = false;
  std::string_view rest;  // From the key's length to the end: all that no delta changes.
};

// Walks over the records of a batch, decompressed, without a copy or an allocation. A value type; the bytes must outlive it.
class RecordWalk final {
 public:
  explicit RecordWalk(std::string_view records) : at_(records.data()), end_(records.data() + records.size()) {}

  bool at_end() const { return at_ == end_; }

  // Takes the next record. False: it is malformed; no further call then.
  bool next(RawRecord& record) {
    const char* const begin = at_;
    std::int64_t length = 0;
    if (!varint(end_, length) || length < 1 || length > end_ - at_) return false;
    const char* const end = at_ + length;
    ++at_;  // Attributes, unused in this format.
    if (!varint(end, record.timestamp_delta) || !varint(end, record.offset_delta)) return false;
    const char* const rest = at_;
    std::string_view text;
    bool there = false;
    if (!nullable(end, text, there)) return false;
    record.key = there ? std::optional(text) : std::nullopt;
    if (!nullable(end, text, record.has_value) || !headers(end) || at_ != end) return false;
    record.bytes = {begin, static_cast<std::size_t>(end - begin)};
    record.rest = {rest, static_cast<std::size_t>(end - rest)};
    return true;
  }

 private:
  bool varint(const char* end, std::int64_t& value) {
    if (at_ != end && static_cast<std::uint8_t>(*at_) < 0x80) {  // Nearly always.
      value = unzigzag(static_cast<std::uint8_t>(*at_++));
      return true;
    }
    std::string_view left(at_, static_cast<std::size_t>(end - at_));
    if (!take_varint(left, value)) return false;
    at_ = left.data();
    return true;
  }
  bool nullable(const char* end, std::string_view& text, bool& there) {
    std::int64_t length = 0;
    if (!varint(end, length) || length < -1 || length > end - at_) return false;
    there = length >= 0;
    if (!there) return true;
    text = {at_, static_cast<std::size_t>(length)};
    at_ += length;
    return true;
  }
  bool headers(const char* end) {
    std::int64_t count = 0;
    if (!varint(end, count) || count < 0 || count > end - at_) return false;
    std::string_view text;
    bool there = false;
    for (; count > 0; --count)
      if (!nullable(end, text, there) || !there || !nullable(end, text, there)) return false;
    return true;
  }

  const char* at_;
  const char* end_;
};

}  // namespace pinflow::log
