#include "doors/kinesis/event_stream.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::doors::kinesis {
namespace {

std::uint32_t u32(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// Bit by bit, unlike the code that is tested.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffff'ffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb8'8320 : 0);
  }
  return ~crc;
}

struct Frame {
  std::map<std::string, std::string> headers;
  std::string payload;
};

Frame parse(std::string_view bytes) {
  Frame out;
  EXPECT_EQ(u32(bytes, 0), bytes.size());
  EXPECT_EQ(u32(bytes, 8), crc32(bytes.substr(0, 8)));
  EXPECT_EQ(u32(bytes, bytes.size() - 4), crc32(bytes.substr(0, bytes.size() - 4)));
  auto fields = bytes.substr(12, u32(bytes, 4));
  out.payload = bytes.substr(12 + fields.size(), bytes.size() - fields.size() - 16);
  while (!fields.empty()) {
    const auto name_size = static_cast<unsigned char>(fields[0]);
    const auto name = fields.substr(1, name_size);
    EXPECT_EQ(fields[1 + name_size], 7);
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(fields[2 + name_size]) << 8 |
                                               static_cast<unsigned char>(fields[3 + name_size]));
    out.headers.emplace(name, fields.substr(4 + name_size, size));
    fields.remove_prefix(4 + name_size + size);
  }
  return out;
}

TEST(KinesisEventStream, FramesAsTheEncodingSays) {
  // No headers, payload of 14 bytes: lengths, their checksum, the payload, the checksum of all.
  const auto frame = event_frame({}, R"({"foo": "bar"}))");
  EXPECT_EQ(frame.substr(0, 8), std::string_view("\0\0\0\x1f\0\0\0\0", 8));
  EXPECT_EQ(parse(frame).payload, R"({"foo": "bar"}))");
  EXPECT_EQ(crc32("123456789"), 0xcbf43926);  // The check value of this CRC.
  EXPECT_EQ(u32(event_frame({}, ""), 8), 0x05c248ebU);
  for (std::size_t size = 0; size < 40; ++size)
    parse(event_frame({{":a", std::string(size, 'x')}}, std::string(size * 3, 'y')));
}

// Tells what the test gives it.
class FakeSource final : public EventSource {
 public:
  explicit FakeSource(std::vector<Event> events) : events_(std::move(events)) {}
  void next(std::move_only_function<void(Event)> take) override { take(std::move(events_[at_++])); }

 private:
  std::vector<Event> events_;
  std::size_t at_ = 0;
};

std::vector<Frame> frames_of(std::vector<EventSource::Event> events) {
  const auto body = event_body(std::make_unique<FakeSource>(std::move(events)));
  std::vector<Frame> out;
  for (bool more = true; more;) {
    body->next([&](http::BodyStream::Piece piece) {
      more = piece && *piece;
      if (more) out.push_back(parse(**piece));
    });
  }
  return out;
}

TEST(KinesisEventStream, BeginsWithAnInitialResponseAndEndsWithItsSource) {
  std::vector<EventSource::Event> events;
  events.emplace_back(std::optional<std::string>(R"({"Records":[]})"));
  events.emplace_back(std::nullopt);
  const auto frames = frames_of(std::move(events));
  ASSERT_EQ(frames.size(), 2U);
  const auto common = [](std::string_view type) {
    return std::map<std::string, std::string>{{":message-type", "event"},
                                              {":event-type", std::string(type)},
                                              {":content-type", "application/x-amz-json-1.1"}};
  };
  EXPECT_EQ(frames[0].headers, common("initial-response"));
  EXPECT_EQ(frames[0].payload, "{}");
  EXPECT_EQ(frames[1].headers, common("SubscribeToShardEvent"));
  EXPECT_EQ(frames[1].payload, R"({"Records":[]})");
}

TEST(KinesisEventStream, TellsFaultsAsItsLastFrame) {
  const auto last = [](Fault fault) {
    std::vector<EventSource::Event> events;
    events.emplace_back(std::unexpected(std::move(fault)));
    const auto frames = frames_of(std::move(events));
    EXPECT_EQ(frames.size(), 2U);
    return frames.back();
  };
  const auto gone = last({"ResourceNotFoundException", "gone", 400});
  EXPECT_EQ(gone.headers.at(":message-type"), "exception");
  EXPECT_EQ(gone.headers.at(":exception-type"), "ResourceNotFoundException");
  EXPECT_EQ(gone.payload, R"({"message":"gone"})");
  EXPECT_EQ(last({"InternalFailure", "", 500}).headers.at(":exception-type"), "InternalFailureException");
  const auto other = last({"ServiceUnavailable", "busy", 503});
  EXPECT_EQ(other.headers.at(":message-type"), "error");
  EXPECT_EQ(other.headers.at(":error-code"), "ServiceUnavailable");
  EXPECT_EQ(other.headers.at(":error-message"), "busy");
}

// An event that comes when the body is gone must not touch it.
TEST(KinesisEventStream, LetsEventsComeLate) {
  class LateSource final : public EventSource {
   public:
    explicit LateSource(std::move_only_function<void(Event)>& out) : out_(out) {}
    void next(std::move_only_function<void(Event)> take) override { out_ = std::move(take); }

   private:
    std::move_only_function<void(Event)>& out_;
  };
  std::move_only_function<void(EventSource::Event)> late;
  auto body = event_body(std::make_unique<LateSource>(late));
  int pieces = 0;
  body->next([&](const http::BodyStream::Piece&) { ++pieces; });
  body->next([&](const http::BodyStream::Piece&) { ++pieces; });
  body.reset();
  late(std::unexpected(Fault{}));
  EXPECT_EQ(pieces, 2);
}

}  // namespace
}  // namespace pinflow::doors::kinesis
