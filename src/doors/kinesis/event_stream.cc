#include "doors/kinesis/event_stream.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

namespace pinflow::doors::kinesis {

namespace {

constexpr std::string_view kJson = "application/x-amz-json-1.1";
constexpr char kStringHeader = 7;

// CRC-32 as zlib and Ethernet have it, eight bytes a step: table k says what a byte adds that is followed by k more.
constexpr auto kCrc = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb8'8320 : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xff];
    }
  }
  return tables;
}();

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffff'ffff;
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  while (bytes.size() >= 8) {
    crc ^= at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
    crc = kCrc[7][crc & 0xff] ^ kCrc[6][crc >> 8 & 0xff] ^ kCrc[5][crc >> 16 & 0xff] ^ kCrc[4][crc >> 24] ^
          kCrc[3][at(4)] ^ kCrc[2][at(5)] ^ kCrc[1][at(6)] ^ kCrc[0][at(7)];
    bytes.remove_prefix(8);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) crc = crc >> 8 ^ kCrc[0][(crc ^ at(i)) & 0xff];
  return ~crc;
}

void put_u32(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

std::string initial_response() {
  return event_frame({{":message-type", "event"}, {":event-type", "initial-response"}, {":content-type", kJson}}, "{}");
}

std::string event(std::string_view payload) {
  return event_frame({{":message-type", "event"}, {":event-type", "SubscribeToShardEvent"}, {":content-type", kJson}},
                     payload);
}

// Exceptions that the model of the stream names are told as such, others as errors.
std::string fault_frame(const Fault& fault) {
  constexpr std::string_view kNamed[] = {
      "ResourceNotFoundException", "ResourceInUseException",   "KMSDisabledException",
      "KMSInvalidStateException",  "KMSAccessDeniedException", "KMSNotFoundException",
      "KMSOptInRequired",          "KMSThrottlingException",   "InternalFailureException"};
  const std::string_view type =
      fault.type == "InternalFailure" ? std::string_view("InternalFailureException") : fault.type;
  if (std::ranges::find(kNamed, type) == std::end(kNamed)) {
    return event_frame({{":message-type", "error"}, {":error-code", type}, {":error-message", fault.message}}, "");
  }
  Writer body(Encoding::kJson);
  body.begin_structure().member("message").text(fault.message).end_structure();
  return event_frame({{":message-type", "exception"}, {":exception-type", type}, {":content-type", kJson}},
                     std::move(body).take());
}

class EventBody final : public http::BodyStream {
 public:
  explicit EventBody(std::unique_ptr<EventSource> source) : source_(std::move(source)) {}

  void next(Take take) override {
    if (!begun_) {
      begun_ = true;
      take(std::optional(initial_response()));
      return;
    }
    if (failed_->load()) {
      take(std::optional<std::string>());
      return;
    }
    source_->next([failed = failed_, take = std::move(take)](EventSource::Event told) mutable {
      if (!told) {
        failed->store(true);
        take(std::optional(fault_frame(told.error())));
      } else if (*told) {
        take(std::optional(event(**told)));
      } else {
        take(std::optional<std::string>());
      }
    });
  }

 private:
  std::unique_ptr<EventSource> source_;
  bool begun_ = false;
  // Shared with the event on its way, which may come when the body is gone.
  std::shared_ptr<std::atomic<bool>> failed_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace

std::string event_frame(std::initializer_list<std::pair<std::string_view, std::string_view>> headers,
                        std::string_view payload) {
  std::string fields;
  for (const auto& [name, all] : headers) {
    const auto value = all.substr(0, 0x7fff);
    fields += static_cast<char>(name.size());
    fields += name;
    fields += kStringHeader;
    fields += static_cast<char>(value.size() >> 8);
    fields += static_cast<char>(value.size() & 0xff);
    fields += value;
  }
  std::string out;
  const std::size_t size = 12 + fields.size() + payload.size() + 4;
  out.reserve(size);
  put_u32(out, static_cast<std::uint32_t>(size));
  put_u32(out, static_cast<std::uint32_t>(fields.size()));
  put_u32(out, crc32(out));
  out += fields;
  out += payload;
  put_u32(out, crc32(out));
  return out;
}

std::unique_ptr<http::BodyStream> event_body(std::unique_ptr<EventSource> source) {
  return std::make_unique<EventBody>(std::move(source));
}

}  // namespace pinflow::doors::kinesis
