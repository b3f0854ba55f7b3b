#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

// The parts of HTTP/1.1 framing (RFC 9112) that requests and responses share. Sans-I/O and strict: two
// readers that understand one byte stream differently are how requests are smuggled, so whatever is ambiguous
// is refused.
namespace pinflow::http::internal {

// Why a message is refused: the status that a server answers, and words for the sender.
struct Failure {
  int status = 400;
  std::string message;
};

bool is_token(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
// True if `item` is an element of a comma-separated list such as Connection's.
bool list_has(std::string_view list, std::string_view item);
// Decodes %41 forms; with `plus_is_space` also '+' as forms write it. Empty: a '%' without two hexadecimal
// digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
std::string_view reason_phrase(int status);
// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t seconds_since_1970);

// Collects the bytes of a message head up to and including its empty line.
class HeadReader {
 public:
  explicit HeadReader(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  // Takes bytes up to the end of the head; returns how many.
  std::size_t feed(std::string_view bytes);
  bool done() const { return done_; }
  bool started() const { return !held_.empty(); }
  const std::optional<Failure>& failure() const { return failure_; }
  // The head without its empty line; lines are parted by CRLF. Valid until reset().
  std::string_view head() const { return head_; }
  void reset();

 private:
  std::size_t max_bytes_;
  std::string held_;
  std::string_view head_;
  std::size_t line_start_ = 0;
  bool done_ = false;
  std::optional<Failure> failure_;
};

// Reads the field lines after a first line; `lines` are parted by CRLF.
std::optional<Failure> parse_fields(std::string_view lines, Headers& headers);

// How the body of a message is delimited.
struct Framing {
  enum class Kind { kLength, kChunked, kUntilClose };
  Kind kind = Kind::kLength;
  std::uint64_t length = 0;
};
// Reads Content-Length and Transfer-Encoding. Without either: a body of no bytes.
std::optional<Failure> parse_framing(const Headers& headers, Framing& framing);

// Finds the bytes of a body in a connection's bytes, decoding chunks. Trailers are checked and dropped: nobody here reads them, and a
// field that comes after the body must not change what was decided before it.
class BodyReader {
 public:
  BodyReader(const Framing& framing, std::uint64_t max_bytes);
  // Takes bytes up to the end of the body and appends the body's own to `out`; returns how many it took.
  std::size_t feed(std::string_view bytes, std::string& out);
  // Tells that the peer closed: the end of a body without length.
  void close();
  bool done() const { return part_ == Part::kDone; }
  const std::optional<Failure>& failure() const { return failure_; }
  std::uint64_t size() const { return size_; }  // Of the body as far as it came.

 private:
  enum class Part { kBytes, kSizeLine, kChunk, kChunkEnd, kTrailer, kDone };
  std::size_t feed_bytes(std::string_view bytes, std::string& out);
  std::size_t feed_line(std::string_view bytes);
  void take_line();
  void take_size_line(std::string_view line);
  void take_trailer(std::string_view line);
  void refuse(int status, std::string message) { failure_ = Failure{status, std::move(message)}; }

  Part part_;
  bool until_close_;
  std::uint64_t max_bytes_;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;  // Of the body, or of this chunk.
  std::string line_;
  std::size_t trailer_bytes_ = 0;
  std::optional<Failure> failure_;
};

}  // namespace pinflow::http::internal
