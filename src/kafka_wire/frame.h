#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kafka_wire/api.h"

namespace pinflow::kafka_wire {

// A message ready to be sent: our own bytes with borrowed ones (record batches) to be put in between, so that these are never
// copied. Send it with pieces() and writev, or take flat() for one copy. What is borrowed must live until it is sent.
class EncodedFrame {
 public:
  // Borrowed bytes that go before bytes[at].
  struct Borrowed {
    std::size_t at = 0;
    std::string_view bytes;
  };

  // Records of at least this size are borrowed, smaller ones copied: a piece costs more than a short copy.
  static constexpr std::size_t kBorrowFrom = 1024;

  std::string bytes;
  std::vector<Borrowed> borrowed;  // By ascending `at`.

  // All bytes to send, with the length in front.
  std::size_t size() const;
  // The same as views in order, none empty.
  std::vector<std::string_view> pieces() const;
  std::string flat() const;
};

// What stands before the body of a request. Views point into the frame.
struct RequestHeader {
  std::int16_t api_key = 0;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;
  std::string_view body;
  const ApiInfo* api = nullptr;  // Null for a kind we do not know.

  // Whether the codec can read the body and a handler may be asked.
  bool served() const { return api != nullptr && api->serves(version); }
};

// The largest frame that Kafka itself takes by default (socket.request.max.bytes).
inline constexpr std::size_t kDefaultMaxFrame = 100u << 20;

// Reads the length in front of a frame from what has been received so far. Gives the size of the whole frame with its four bytes
// of length, or nothing when fewer than four bytes are there. kInvalid for a negative or too large length; a TLS or HTTP client at
// the wrong port is named as such.
Result<std::optional<std::size_t>> frame_size(std::string_view received, std::size_t max_frame = kDefaultMaxFrame);

// Reads a request's header from a frame without its length. Of a kind or version that we do not know, the body may still begin with
// the header's tagged fields; nothing can be read from it anyway.
Result<RequestHeader> read_request_header(std::string_view frame);

// The header of a response, from a frame without its length. ApiVersions has the old header at every version.
struct ResponseHeader {
  std::int32_t correlation_id = 0;
  std::string_view body;
};
Result<ResponseHeader> read_response_header(std::string_view frame, ApiKey api, std::int16_t version);

}  // namespace pinflow::kafka_wire
