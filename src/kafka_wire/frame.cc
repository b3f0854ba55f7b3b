#include "kafka_wire/frame.h"

#include <fmt/format.h>

#include "kafka_wire/internal/reader.h"

namespace pinflow::kafka_wire {

namespace {

void skip_tags(Reader& reader) {
  reader.at_field("tagged fields");
  for (std::uint32_t count = reader.varint(); count > 0 && !reader.failed(); --count) {
    reader.varint();
    reader.take(reader.varint());
  }
}

// What a length that cannot be one looks like to somebody who knows other protocols.
std::string_view guess_of_peer(std::string_view start) {
  if (start[0] == 0x16 && start[1] == 0x03)
    return "; this looks like TLS: set security.protocol to plain in the client, or TLS here";
  for (const std::string_view word : {"GET ", "POST", "PUT ", "HEAD", "PRI "})
    if (start == word) return "; this looks like HTTP: the HTTP port is another one";
  return "";
}

}  // namespace

std::size_t EncodedFrame::size() const {
  std::size_t size = bytes.size();
  for (const Borrowed& piece : borrowed) size += piece.bytes.size();
  return size;
}

std::vector<std::string_view> EncodedFrame::pieces() const {
  std::vector<std::string_view> pieces;
  pieces.reserve(2 * borrowed.size() + 1);
  std::size_t from = 0;
  const auto add = [&](std::string_view piece) {
    if (!piece.empty()) pieces.push_back(piece);
  };
  for (const Borrowed& piece : borrowed) {
    add(std::string_view(bytes).substr(from, piece.at - from));
    add(piece.bytes);
    from = piece.at;
  }
  add(std::string_view(bytes).substr(from));
  return pieces;
}

std::string EncodedFrame::flat() const {
  std::string flat;
  flat.reserve(size());
  for (const std::string_view piece : pieces()) flat += piece;
  return flat;
}

Result<std::optional<std::size_t>> frame_size(std::string_view received, std::size_t max_frame) {
  if (received.size() < 4) return std::nullopt;
  const auto length = Reader(received, 0, false).integer<std::int32_t>();
  if (length < 0 || static_cast<std::size_t>(length) > max_frame)
    return fail(ErrorCode::kInvalid, fmt::format("a Kafka frame says it has {} bytes, the limit is {}{}", length,
                                                 max_frame, guess_of_peer(received.substr(0, 4))));
  return static_cast<std::size_t>(length) + 4;
}

Result<RequestHeader> read_request_header(std::string_view frame) {
  Reader reader(frame, 0, false);
  RequestHeader header;
  reader.at_field("api key");
  header.api_key = reader.integer<std::int16_t>();
  reader.at_field("api version");
  header.version = reader.integer<std::int16_t>();
  reader.at_field("correlation id");
  header.correlation_id = reader.integer<std::int32_t>();
  header.api = find_api(header.api_key);
  reader.at_field("client id");
  // Never compact, in the flexible header neither.
  if (const std::int64_t length = reader.text_length(); length >= 0)
    header.client_id = reader.take(static_cast<std::size_t>(length));
  if (header.api != nullptr && header.api->known(header.version) && header.api->flexible(header.version))
    skip_tags(reader);
  if (reader.failed()) return fail(reader.error("the header of a request"));
  header.body = frame.substr(reader.position());
  return header;
}

Result<ResponseHeader> read_response_header(std::string_view frame, ApiKey api, std::int16_t version) {
  Reader reader(frame, 0, false);
  ResponseHeader header;
  reader.at_field("correlation id");
  header.correlation_id = reader.integer<std::int32_t>();
  if (api != ApiKey::kApiVersions && api_info(api).flexible(version)) skip_tags(reader);
  if (reader.failed()) return fail(reader.error("the header of a response"));
  header.body = frame.substr(reader.position());
  return header;
}

}  // namespace pinflow::kafka_wire
