#include "kafka_wire/internal/reader.h"

#include <fmt/format.h>

namespace pinflow::kafka_wire {

namespace {
constexpr std::int64_t kLongestText = 0x7fff;  // As in the non-compact form: Kafka holds both to it.
}

std::uint32_t Reader::varint() {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const auto byte = integer<std::uint8_t>();
    if (shift == 28 && byte > 0x0f) {
      fail("is a varint of more than 32 bits", byte);
      return 0;
    }
    value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return 0;  // Not reached: the fifth byte ends or fails.
}

std::int64_t Reader::checked_length(std::int64_t length, std::size_t limit) {
  if (length < -1) {
    fail("has a negative length", length);
    return 0;
  }
  if (length > 0 && static_cast<std::uint64_t>(length) > limit) {
    fail("wants more bytes than are left", length);
    return 0;
  }
  return failed() ? 0 : length;
}

std::int64_t Reader::text_length() {
  const std::int64_t length = checked_length(flexible_ ? compact_length() : integer<std::int16_t>(), left());
  if (length <= kLongestText) return length;
  fail("is a longer text than the protocol allows", length);
  return 0;
}

std::int64_t Reader::count(std::size_t min_size, std::size_t memory) {
  const std::int64_t count = flexible_ ? compact_length() : integer<std::int32_t>();
  if (failed()) return 0;
  if (count < -1) {
    fail("has a negative count", count);
    return 0;
  }
  if (count <= 0) return count;
  if (static_cast<std::uint64_t>(count) > left() / min_size) {
    fail("counts more elements than the bytes left can hold", count);
    return 0;
  }
  const std::size_t wanted = static_cast<std::size_t>(count) * memory;
  if (wanted > memory_left_) {
    fail("counts more elements than a message of this size may", count);
    return 0;
  }
  memory_left_ -= wanted;
  return count;
}

std::size_t Reader::enter(std::size_t size) {
  const std::size_t outer_end = end_;
  if (size > left())
    fail("wants more bytes than are left", static_cast<std::int64_t>(size));
  else
    end_ = position_ + size;
  return outer_end;
}

void Reader::leave(std::size_t outer_end) {
  if (failed()) return;
  position_ = end_;
  end_ = outer_end;
}

void Reader::fail(const char* reason, std::int64_t value) {
  if (failed()) return;
  reason_ = reason;
  failed_field_ = field_;
  value_ = value;
  failed_at_ = position_;
  left_then_ = left();
  position_ = end_;
}

Error Reader::error(std::string_view what) const {
  return {ErrorCode::kInvalid,
          fmt::format("{} does not follow the Kafka protocol: `{}` {} ({}, byte {} of {}, {} left)", what,
                      failed_field_, reason_, value_, failed_at_, bytes_.size(), left_then_)};
}

}  // namespace pinflow::kafka_wire
