#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/internal/http2_frames.h"
#include "http/server_fixture.h"
#include "net/certificates_fixture.h"
#include "net/transport.h"

namespace pinflow::http {
namespace {

using internal::FramePeer;
using internal::headers;

constexpr std::uint8_t kWhole = internal::kEndStream | internal::kEndHeaders;

// HTTP/2 as it goes through the server's sockets.
class ServerHttp2 : public ServerTest {
 protected:
  static std::string hello() { return std::string(internal::kPreface) + internal::settings(); }
  // Reads until `done`, or the end of the connection.
  template <class Done>
  static void read(RawPeer& peer, FramePeer& frames, Done done) {
    while (!done()) {
      const std::string bytes = peer.read_piece();
      if (bytes.empty()) return;
      frames.take(bytes);
    }
  }
};

TEST_F(ServerHttp2, IsSpokenWithThoseWhoBeginWithItsPreface) {
  start();
  auto peer = this->peer();
  const std::string bytes = hello() + headers(1, internal::get("/a"), kWhole) + headers(3, internal::get("/b"), kWhole);
  peer.send(bytes.substr(0, 10));
  peer.send(bytes.substr(10));
  FramePeer frames;
  read(peer, frames, [&] { return frames.streams[1].ended && frames.streams[3].ended; });
  EXPECT_EQ(frames.streams[1].status, 200);
  EXPECT_EQ(frames.streams[1].body, "GET /a ");
  EXPECT_EQ(frames.streams[3].body, "GET /b ");
}

TEST_F(ServerHttp2, AnswersLaterRequestsWhileAnEarlierOneWaits) {
  start();
  auto peer = this->peer();
  peer.send(hello() + headers(1, internal::get("/later"), kWhole) + headers(3, internal::get("/now"), kWhole));
  FramePeer frames;
  read(peer, frames, [&] { return frames.streams[3].ended; });
  EXPECT_FALSE(frames.streams[1].ended);
  handler_.release();
  read(peer, frames, [&] { return frames.streams[1].ended; });
  EXPECT_EQ(frames.streams[1].body, "GET /later ");
}

TEST_F(ServerHttp2, IsAgreedOnInTls) {
  net::Certificates certificates;
  certificates.issue("door");
  options_.tls.certificate = certificates.certificate("door");
  options_.tls.key = certificates.key("door");
  start();
  auto peer = this->peer();
  const auto tls = net::TlsClient::load(certificates.certificate("ca"), {"h2", "http/1.1"}).value();
  net::Transport transport(peer.descriptor());
  transport.begin_tls(tls->session("localhost"));
  ASSERT_EQ(transport.handshake().status, net::Transport::Status::kDone) << transport.failure();
  EXPECT_EQ(transport.protocol(), "h2");
  const std::string bytes = hello() + headers(1, internal::get("/a"), kWhole);
  const std::array<std::string_view, 1> pieces{bytes};
  ASSERT_EQ(transport.write(pieces).status, net::Transport::Status::kDone);
  FramePeer frames;
  std::array<char, 16 << 10> room{};
  while (!frames.streams[1].ended) {
    const auto [status, count] = transport.read(room);
    if (status != net::Transport::Status::kDone) break;
    frames.take({room.data(), count});
  }
  EXPECT_EQ(frames.streams[1].body, "GET /a ");
}

TEST_F(ServerHttp2, SaysGoodbyeAndSendsAnswersInFlightWhenItStops) {
  start();
  auto peer = this->peer();
  peer.send(hello() + headers(1, internal::get("/later"), kWhole));
  {
    std::unique_lock lock(handler_.mutex);
    handler_.arrived.wait(lock, [&] { return !handler_.held.empty(); });
  }
  std::thread stopper([&] { server_->stop(20s); });
  FramePeer frames;
  read(peer, frames, [&] { return frames.gone_away.has_value(); });
  handler_.release();
  read(peer, frames, [] { return false; });
  stopper.join();
  EXPECT_EQ(frames.gone_away, 0u);
  EXPECT_EQ(frames.streams[1].body, "GET /later ");
}

TEST_F(ServerHttp2, SaysGoodbyeToThoseWhoAreIdle) {
  options_.idle_timeout = 50ms;
  start();
  auto peer = this->peer();
  peer.send(hello());
  FramePeer frames;
  read(peer, frames, [] { return false; });
  EXPECT_EQ(frames.gone_away, 0u);
}

}  // namespace
}  // namespace pinflow::http
