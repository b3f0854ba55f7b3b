#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"

namespace pinflow::doors::kinesis {

// What DescribeStreamSummary calls StreamId: 24 letters and digits that follow from the topic's id, without telling it. AWS's have a hyphen before
// the last three; SDKs that are given one of that form (by KCL 3.5) ask a host of AWS made of it, in place of the endpoint that they were told.
std::string stream_id(const Uuid& topic);

// A position in a shard that clients carry as an opaque text (a shard iterator) or in a list (NextToken): base64 of 00..01, a code that
// seals the rest, and the rest, zeros behind it up to the length that AWS's iterators have for a stream of this name.
//
// The seal is an HMAC with the topic's id as its key. It keeps broken and invented texts out; it is no authority, since each use
// asks for the caller's right on the stream. A key that follows from the stream needs no file of its own, holds over a restart, as
// the 300 s of an iterator's life do, and dies with the stream.
struct SealedPosition {
  std::string stream;
  std::int32_t shard = 0;
  std::int64_t offset = 0;
  WallTime issued;
  std::uint64_t nonce = 0;  // Makes two texts of one position differ, as AWS's do.
  std::uint8_t kind = 0;    // What the text is for; an iterator is 0.
  std::int64_t detail = 0;  // Of a NextToken: the time of its filter.

  std::string seal(const Uuid& topic) const;
};

// What a text says, before it is known whether its seal is that of a stream that is there.
class SealedText final {
 public:
  // Reads a text, in double quotes or not. Empty: not of our making.
  static std::optional<SealedText> read(std::string_view text);
  const SealedPosition& position() const { return position_; }
  // Was it made for this topic, not for one of the same name before it?
  bool is_of(const Uuid& topic) const;
  bool is_sealed_by(const Uuid& topic) const;

 private:
  SealedPosition position_;
  std::string print_;  // Says for which topic, without telling its id.
  std::string seal_;
  std::string sealed_;  // The bytes that the seal is of.
};

}  // namespace pinflow::doors::kinesis
