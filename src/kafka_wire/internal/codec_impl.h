#pragma once

#include <fmt/format.h>

#include "base/check.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/internal/walk.h"

// The bodies of codec.h's templates. Included by the files that hold tables, which name their messages at the end.
namespace pinflow::kafka_wire {

// Put the frame's four bytes of length and the header; finish_frame fills the length in.
void begin_response(EncodedFrame& out, const ApiInfo& api, std::int16_t version, std::int32_t correlation_id);
void begin_request(EncodedFrame& out, const ApiInfo& api, std::int16_t version, std::int32_t correlation_id,
                   std::optional<std::string_view> client_id);
void finish_frame(EncodedFrame& out);

template <Message M>
Result<M> decode_body(std::string_view bytes, std::int16_t version) {
  const ApiInfo& api = api_info(M::kApi);
  const auto what = [&] { return fmt::format("{} v{} {}", api.name, version, Request<M> ? "request" : "response"); };
  if (!api.known(version))
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is not known here; versions {} to {} are", what(), api.first, api.last));
  Reader reader(bytes, version, api.flexible(version));
  M message;
  get_struct(reader, message);
  if (reader.failed()) return fail(reader.error(what()));
  return message;
}

template <Message M>
void encode_body(const M& message, std::int16_t version, EncodedFrame& out) {
  const ApiInfo& api = api_info(M::kApi);
  CHECK(api.known(version), "a message is written in a version of its table");
  Writer writer(out, version, api.flexible(version));
  put_struct(writer, message);
}

template <Message M>
EncodedFrame encode_response(const M& message, std::int16_t version, std::int32_t correlation_id) {
  EncodedFrame frame;
  begin_response(frame, api_info(M::kApi), version, correlation_id);
  encode_body(message, version, frame);
  finish_frame(frame);
  return frame;
}

template <Request M>
EncodedFrame encode_request(const M& message, std::int16_t version, std::int32_t correlation_id,
                            std::optional<std::string_view> client_id) {
  EncodedFrame frame;
  begin_request(frame, api_info(M::kApi), version, correlation_id, client_id);
  encode_body(message, version, frame);
  finish_frame(frame);
  return frame;
}

}  // namespace pinflow::kafka_wire

// Instantiates the codec of a request struct and its response.
#define INSTANTIATE_MESSAGE(M)                                                     \
  template Result<M> decode_body<M>(std::string_view bytes, std::int16_t version); \
  template void encode_body<M>(const M& message, std::int16_t version, EncodedFrame& out);
#define INSTANTIATE_API(M)                                                                                     \
  INSTANTIATE_MESSAGE(M)                                                                                       \
  INSTANTIATE_MESSAGE(M::Response)                                                                             \
  template EncodedFrame encode_request<M>(const M& message, std::int16_t version, std::int32_t correlation_id, \
                                          std::optional<std::string_view> client_id);                          \
  template EncodedFrame encode_response<M::Response>(const M::Response& message, std::int16_t version,         \
                                                     std::int32_t correlation_id);
