#include "net/transport.h"

#include <array>
#include <fstream>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/descriptor.h"
#include "net/certificates_fixture.h"

namespace pinflow::net {
namespace {

using testing::HasSubstr;
using Status = Transport::Status;

// Two ends of one connection.
class TransportTest : public testing::Test {
 protected:
  TransportTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    left_ = Descriptor(ends[0]);
    right_ = Descriptor(ends[1]);
    certificates_.issue("door");
    certificates_.issue("kate");
    server_options_ = {.certificate = certificates_.certificate("door"),
                       .key = certificates_.key("door"),
                       .client_ca = {},
                       .require_client_certificate = false,
                       .protocols = {},
                       .section = "test"};
  }
  std::unique_ptr<TlsServer> server() { return TlsServer::load(server_options_).value(); }
  std::unique_ptr<TlsClient> client(const std::vector<std::string>& protocols = {}) {
    return TlsClient::load(certificates_.certificate("ca"), protocols).value();
  }
  // Both ends go on in turn; true: both are set up.
  static bool shake_hands(Transport& ours, Transport& theirs) {
    for (int i = 0; i < 10; ++i) {
      const auto a = ours.handshake().status;
      const auto b = theirs.handshake().status;
      if (a == Status::kDone && b == Status::kDone) return true;
      if (a == Status::kFailed || b == Status::kFailed) return false;
    }
    return false;
  }
  static std::string read_all(Transport& transport) {
    std::string all;
    std::array<char, 70'000> room{};
    for (;;) {
      const auto [status, count] = transport.read(room);
      if (status != Status::kDone) return all;
      all.append(room.data(), count);
    }
  }
  static Status write(Transport& transport, std::string_view bytes) {
    const std::array pieces{bytes};
    return transport.write(pieces).status;
  }

  Certificates certificates_;
  TlsServerOptions server_options_;
  Descriptor left_;
  Descriptor right_;
};

TEST_F(TransportTest, CarriesBytesInTheClear) {
  Transport ours(left_.get());
  Transport theirs(right_.get());
  const std::array<std::string_view, 2> pieces{"one ", "two"};
  EXPECT_EQ(ours.write(pieces).count, 7u);
  EXPECT_EQ(theirs.begins_with_tls(), false);
  EXPECT_EQ(read_all(theirs), "one two");
  std::array<char, 8> room{};
  EXPECT_EQ(theirs.read(room).status, Status::kWantRead);
  left_ = Descriptor();
  EXPECT_EQ(theirs.read(room).status, Status::kClosed);
}

TEST_F(TransportTest, CarriesBytesThroughTlsAndAgreesOnAProtocol) {
  server_options_.protocols = {"h2", "http/1.1"};
  const auto server = this->server();
  const auto client = this->client({"http/1.1", "h2"});
  Transport ours(left_.get());
  Transport theirs(right_.get());
  ours.begin_tls(server->session());
  theirs.begin_tls(client->session("localhost"));
  theirs.handshake();
  EXPECT_EQ(ours.begins_with_tls(), true);
  ASSERT_TRUE(shake_hands(ours, theirs)) << ours.failure() << theirs.failure();
  EXPECT_EQ(ours.protocol(), "h2");
  EXPECT_EQ(theirs.protocol(), "h2");
  EXPECT_EQ(ours.peer_subject(), "");
  EXPECT_EQ(theirs.peer_subject(), "CN=door");
  const std::string large(40'000, 'x');
  const std::array<std::string_view, 3> pieces{"small ", "pieces ", large};
  EXPECT_EQ(ours.write(pieces).count, 16'384u) << "small pieces share a record";
  EXPECT_EQ(write(ours, "end"), Status::kDone);
  const std::string read = read_all(theirs);
  EXPECT_EQ(read.size(), 16'384u + 3);
  EXPECT_TRUE(read.starts_with("small pieces xxx")) << read.substr(0, 20);
  EXPECT_TRUE(read.ends_with("xend"));
  ours.say_goodbye();
  std::array<char, 8> room{};
  EXPECT_EQ(theirs.read(room).status, Status::kClosed);
}

TEST_F(TransportTest, RefusesAClientThatSpeaksNoneOfOurProtocols) {
  server_options_.protocols = {"h2"};
  const auto server = this->server();
  const auto client = this->client({"acme-tls/1"});
  Transport ours(left_.get());
  Transport theirs(right_.get());
  ours.begin_tls(server->session());
  theirs.begin_tls(client->session("localhost"));
  EXPECT_FALSE(shake_hands(ours, theirs));
}

TEST_F(TransportTest, AClientTrustsOnlyTheHostItAskedFor) {
  const auto server = this->server();
  const auto trusting = client();
  Certificates strangers;
  const auto other = TlsClient::load(strangers.certificate("ca"), {}).value();
  const std::tuple<const TlsClient*, std::string, bool> cases[] = {{trusting.get(), "localhost", true},
                                                                   {trusting.get(), "127.0.0.1", true},
                                                                   {trusting.get(), "127.0.0.2", false},
                                                                   {trusting.get(), "pins.example", false},
                                                                   {other.get(), "localhost", false}};
  for (const auto& [client, host, good] : cases) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    const Descriptor left(ends[0]);
    const Descriptor right(ends[1]);
    Transport ours(left.get());
    Transport theirs(right.get());
    ours.begin_tls(server->session());
    theirs.begin_tls(client->session(host));
    EXPECT_EQ(shake_hands(ours, theirs), good) << host;
    if (!good) EXPECT_THAT(theirs.failure(), HasSubstr("certificate verify failed ("));
  }
}

TEST_F(TransportTest, DoesNotAskToBeReadAgainForHalfARecord) {
  const auto server = this->server();
  const auto client = this->client();
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const Descriptor far_left(ends[0]);
  const Descriptor far_right(ends[1]);
  // The client's records go through our hands.
  Transport ours(left_.get());
  Transport theirs(far_right.get());
  ours.begin_tls(server->session());
  theirs.begin_tls(client->session("localhost"));
  std::array<char, 70'000> room{};
  const auto carry = [&](int from, int to, std::size_t most) {
    const ssize_t count = ::recv(from, room.data(), most, 0);
    if (count > 0) ASSERT_EQ(::send(to, room.data(), static_cast<std::size_t>(count), 0), count);
  };
  for (int i = 0; i < 5; ++i) {
    theirs.handshake();
    carry(far_left.get(), right_.get(), room.size());
    ours.handshake();
    carry(right_.get(), far_left.get(), room.size());
  }
  ASSERT_EQ(write(theirs, std::string(1'000, 'x')), Status::kDone);
  carry(far_left.get(), right_.get(), 500);
  EXPECT_EQ(ours.read(room).status, Status::kWantRead);
  EXPECT_FALSE(ours.has_buffered());
  carry(far_left.get(), right_.get(), room.size());
  EXPECT_EQ(ours.read(room).count, 1'000u);
  EXPECT_FALSE(ours.has_buffered());
  ASSERT_EQ(write(theirs, "rest"), Status::kDone);
  carry(far_left.get(), right_.get(), room.size());
  EXPECT_EQ(ours.read(std::span(room).first(2)).count, 2u);
  EXPECT_TRUE(ours.has_buffered());
}

TEST_F(TransportTest, VerifiesCertificatesOfClientsAndMayDoWithout) {
  server_options_.client_ca = certificates_.certificate("ca");
  for (const bool require : {false, true}) {
    server_options_.require_client_certificate = require;
    const auto server = this->server();
    const auto client = this->client();
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    const Descriptor left(ends[0]);
    const Descriptor right(ends[1]);
    Transport ours(left.get());
    Transport theirs(right.get());
    ours.begin_tls(server->session());
    theirs.begin_tls(client->session("localhost"));
    EXPECT_EQ(shake_hands(ours, theirs), !require);
    EXPECT_EQ(ours.peer_subject(), "");
  }
}

TEST_F(TransportTest, ReloadsForNewSessionsAndKeepsWhatWorksWhenTheFilesAreBad) {
  const auto server = this->server();
  EXPECT_TRUE(server->description().starts_with("CN=door, until "));
  std::filesystem::copy_file(certificates_.certificate("kate"), server_options_.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  const auto mismatch = server->reload();
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(mismatch.error().message, HasSubstr("test.tls_key names "));
  EXPECT_TRUE(server->description().starts_with("CN=door, until "));
  std::filesystem::copy_file(certificates_.key("kate"), server_options_.key,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(server->reload());
  EXPECT_TRUE(server->description().starts_with("CN=kate, until "));
  std::filesystem::remove(server_options_.certificate);
  EXPECT_THAT(server->reload().error().message, HasSubstr("test.tls_certificate names "));
  const auto client = this->client();
  Transport ours(left_.get());
  Transport theirs(right_.get());
  ours.begin_tls(server->session());
  theirs.begin_tls(client->session("localhost"));
  ASSERT_TRUE(shake_hands(ours, theirs)) << ours.failure() << theirs.failure();
  EXPECT_EQ(theirs.peer_subject(), "CN=kate");
}

TEST_F(TransportTest, TellsOfAPeerThatIsNoClientOfTls) {
  const auto server = this->server();
  Transport ours(left_.get());
  Transport theirs(right_.get());
  ours.begin_tls(server->session());
  EXPECT_EQ(write(theirs, "GET / HTTP/1.1\r\n\r\n"), Status::kDone);
  std::array<char, 100> room{};
  EXPECT_EQ(ours.read(room).status, Status::kFailed);
  EXPECT_THAT(ours.failure(), HasSubstr("http request"));
  EXPECT_EQ(write(ours, "late"), Status::kFailed);
}

TEST_F(TransportTest, WritingToAPeerThatIsGoneEndsNothingButTheConnection) {
  const auto server = this->server();
  const auto client = this->client();
  Transport ours(left_.get());
  Transport theirs(right_.get());
  ours.begin_tls(server->session());
  theirs.begin_tls(client->session("localhost"));
  ASSERT_TRUE(shake_hands(ours, theirs));
  right_ = Descriptor();
  write(ours, "x");
  EXPECT_EQ(write(ours, "y"), Status::kClosed);
}

}  // namespace
}  // namespace pinflow::net
