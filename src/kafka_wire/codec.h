#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "kafka_wire/api.h"
#include "kafka_wire/frame.h"

// The codec of all messages of messages/*.h, in both directions. The templates are instantiated in the module for exactly those
// structs, so that a user pays for declarations only.
namespace pinflow::kafka_wire {

// A struct of messages/*.h that is a whole body.
template <class M>
concept Message = requires {
  { M::kApi } -> std::convertible_to<ApiKey>;
};
// A request also names its answer.
template <class M>
concept Request = Message<M> && requires { typename M::Response; };

// Reads a body. Fields that the version lacks keep the value of a freshly made struct; unknown tagged fields are skipped, and
// so is what is left behind the last field (some clients leave bytes there). kInvalid, with the field and the place, for what
// does not follow the protocol and for a version that the table does not know. Members that are string_view point into `bytes`.
// Memory for arrays is bounded by 64 KiB + 24 times the size of `bytes`.
template <Message M>
Result<M> decode_body(std::string_view bytes, std::int16_t version);

// Appends a body. A field that the version lacks is dropped; null is written as empty where the version knows no null. The version
// must be known to the table (CHECK).
template <Message M>
void encode_body(const M& message, std::int16_t version, EncodedFrame& out);

// Makes a whole response with length and header. Large `records` are borrowed: see EncodedFrame.
template <Message M>
EncodedFrame encode_response(const M& message, std::int16_t version, std::int32_t correlation_id);

// Makes a whole request with length and header.
template <Request M>
EncodedFrame encode_request(const M& message, std::int16_t version, std::int32_t correlation_id,
                            std::optional<std::string_view> client_id);

}  // namespace pinflow::kafka_wire
