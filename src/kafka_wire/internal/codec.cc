#include "kafka_wire/internal/codec_impl.h"

namespace pinflow::kafka_wire {

namespace {
constexpr std::size_t kLengthSize = 4;
}

void begin_response(EncodedFrame& out, const ApiInfo& api, std::int16_t version, std::int32_t correlation_id) {
  Writer writer(out, version, false);
  writer.integer<std::int32_t>(0);
  writer.integer(correlation_id);
  // A client that asks for the versions cannot know yet which header it will get: that answer has the old one for ever.
  if (api.flexible(version) && api.key != ApiKey::kApiVersions) writer.varint(0);
}

void begin_request(EncodedFrame& out, const ApiInfo& api, std::int16_t version, std::int32_t correlation_id,
                   std::optional<std::string_view> client_id) {
  Writer writer(out, version, false);
  writer.integer<std::int32_t>(0);
  writer.integer(static_cast<std::int16_t>(api.key));
  writer.integer(version);
  writer.integer(correlation_id);
  if (client_id)
    writer.text(*client_id);
  else
    writer.null_text();
  if (api.flexible(version)) writer.varint(0);
}

void finish_frame(EncodedFrame& out) {
  const std::size_t length = out.size() - kLengthSize;
  CHECK(length <= 0x7fffffff, "a Kafka frame holds less than 2 GiB");
  const auto big_endian = std::byteswap(static_cast<std::uint32_t>(length));
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(out.bytes.data(), &big_endian, kLengthSize);
}

}  // namespace pinflow::kafka_wire
