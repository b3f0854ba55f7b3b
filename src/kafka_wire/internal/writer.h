#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "kafka_wire/frame.h"

namespace pinflow::kafka_wire {

// Appends the protocol's primitives to a frame.
class Writer {
 public:
  Writer(EncodedFrame& out, std::int16_t version, bool flexible) : out_(out), version_(version), flexible_(flexible) {}

  std::int16_t version() const { return version_; }
  bool flexible() const { return flexible_; }

  template <class Int>
  void integer(Int value) {
    if constexpr (sizeof(Int) > 1 && std::endian::native == std::endian::little) value = std::byteswap(value);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    out_.bytes.append(raw, sizeof value);
  }

  void varint(std::uint32_t value) {
    for (; value >= 0x80; value >>= 7) out_.bytes += static_cast<char>(value | 0x80);
    out_.bytes += static_cast<char>(value);
  }

  void raw(std::string_view bytes) { out_.bytes.append(bytes); }

  // A text longer than the protocol can say is cut: better than an answer that cannot be sent.
  void text(std::string_view text);
  void opaque(std::string_view bytes) {
    length(bytes.size());
    raw(bytes);
  }
  void records(std::string_view records);
  // The count of an array.
  void length(std::size_t size) {
    CHECK(size <= 0x7fffffff - 1, "a Kafka message holds less than 2 GiB");
    if (flexible_)
      varint(static_cast<std::uint32_t>(size) + 1);
    else
      integer(static_cast<std::int32_t>(size));
  }
  void null_text() { flexible_ ? varint(0) : integer<std::int16_t>(-1); }
  void null_length() { flexible_ ? varint(0) : integer<std::int32_t>(-1); }

 private:
  EncodedFrame& out_;
  std::int16_t version_;
  bool flexible_;
};

}  // namespace pinflow::kafka_wire
