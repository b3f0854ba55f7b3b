#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/descriptor.h"
#include "http/server_fixture.h"
#include "net/certificates_fixture.h"
#include "net/transport.h"

namespace pinflow::http {
namespace {

using testing::HasSubstr;

class ServerTls : public ServerTest {
 protected:
  ServerTls() {
    certificates_.issue("door");
    certificates_.issue("kate");
    options_.tls.certificate = certificates_.certificate("door");
    options_.tls.key = certificates_.key("door");
    handler_.answer = [](Request& request) {
      return Response::json(
          200, (request.peer.encrypted ? "tls " : "clear ") + request.peer.address + " " + request.peer.certificate);
    };
  }
  std::unique_ptr<Client> secure_client(const std::string& host = "127.0.0.1") const {
    return make_client(Url{host, server_->port(), "", true}, 20s, certificates_.certificate("ca"));
  }
  // A connection over TLS to the server by hand.
  struct Secure {
    Descriptor socket;
    std::unique_ptr<net::TlsClient> tls;
    std::unique_ptr<net::Transport> transport;
  };
  Secure connect(const std::vector<std::string>& protocols) const {
    Secure made;
    made.socket = Descriptor(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(made.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    made.tls = net::TlsClient::load(certificates_.certificate("ca"), protocols).value();
    made.transport = std::make_unique<net::Transport>(made.socket.get());
    made.transport->begin_tls(made.tls->session("localhost"));
    return made;
  }

  net::Certificates certificates_;
};

TEST_F(ServerTls, AnswersOverTlsAndTellsHandlersSo) {
  start();
  auto client = secure_client();
  for (int i = 0; i < 3; ++i) {
    const auto response = client->send(request("POST", "/x", std::string(100'000, 'x')));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "tls 127.0.0.1 ");
  }
}

TEST_F(ServerTls, CarriesLargeBodiesBothWays) {
  handler_.answer = {};
  start();
  auto client = secure_client();
  const std::string body(9'000'000, 'x');
  const auto up = client->send(request("POST", "/up", body));
  ASSERT_TRUE(up) << up.error().message;
  EXPECT_EQ(up->body.size(), body.size() + std::string_view("POST /up ").size());
  EXPECT_EQ(client->send(request("GET", "/big"))->body.size(), 3'000'000U);
}

TEST_F(ServerTls, ClientsDoNotTrustStrangers) {
  start();
  for (const auto& [host, authority] : {std::pair{"127.0.0.1", ""}, std::pair{"127.0.0.1", "/nowhere.pem"}}) {
    const auto answer = make_client(Url{host, server_->port(), "", true}, 20s, authority)->send(request("GET", "/x"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, *authority == 0 ? ErrorCode::kUnavailable : ErrorCode::kInvalid);
  }
  EXPECT_EQ(handler_.requests, 0);
}

TEST_F(ServerTls, TellsThoseWhoSpeakInTheClearWhatToDo) {
  start();
  const auto answer = client()->send(request("GET", "/x"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("https://"));
  options_.tls.allow_plaintext = true;
  start_again();
  EXPECT_EQ(client()->send(request("GET", "/x"))->body, "clear 127.0.0.1 ");
  EXPECT_EQ(secure_client()->send(request("GET", "/x"))->body, "tls 127.0.0.1 ");
}

TEST_F(ServerTls, TellsHandlersWhoseCertificateItVerified) {
  options_.tls.client_ca = certificates_.certificate("ca");
  start();
  EXPECT_EQ(secure_client()->send(request("GET", "/x"))->body, "tls 127.0.0.1 ");
  options_.tls.require_client_certificate = true;
  start_again();
  const auto refused = secure_client()->send(request("GET", "/x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(handler_.requests, 1);
}

TEST_F(ServerTls, AgreesOnHttp1WithThoseWhoAskForIt) {
  start();
  for (const std::vector<std::string>& protocols : {std::vector<std::string>{}, {"http/1.1"}, {"http/1.0"}}) {
    const auto peer = connect(protocols);
    ASSERT_EQ(peer.transport->handshake().status, net::Transport::Status::kDone) << peer.transport->failure();
    EXPECT_EQ(peer.transport->protocol(), protocols.empty() ? "" : protocols.front());
    const std::array<std::string_view, 1> pieces{"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"};
    peer.transport->write(pieces);
    std::array<char, 4096> room{};
    const auto [status, count] = peer.transport->read(room);
    EXPECT_EQ(status, net::Transport::Status::kDone);
    EXPECT_THAT(std::string(room.data(), count), HasSubstr("HTTP/1.1 200 OK"));
  }
}

TEST_F(ServerTls, EndsHandshakesThatDragOn) {
  options_.header_timeout = 50ms;
  start();
  auto slow = peer();
  slow.send("\x16\x03\x01");
  EXPECT_EQ(slow.read_all(), "");
}

TEST_F(ServerTls, AnswersManyThreadsAtOnce) {
  handler_.answer = {};
  start();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        auto client = secure_client();
        for (int k = 0; k < 10; ++k) {
          const auto response = client->send(request("POST", "/x", std::string(20'000, 'x')));
          if (response && response->body.size() == 20'000 + std::string_view("POST /x ").size()) ++good;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 200);
}

TEST_F(ServerTls, ReloadsCertificatesForNewConnectionsAndKeepsTheOldOnesWhenTheNewAreBad) {
  start();
  auto before = secure_client();
  EXPECT_TRUE(before->send(request("GET", "/x")));
  net::Certificates other;
  other.issue("door");
  const auto put = [&](const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  };
  put(other.certificate("door"), certificates_.certificate("door"));
  const auto mismatch = server_->reload_certificates();
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(mismatch.error().message, HasSubstr("http.tls_key"));
  EXPECT_TRUE(secure_client()->send(request("GET", "/x")));
  put(other.key("door"), certificates_.key("door"));
  EXPECT_TRUE(server_->reload_certificates());
  EXPECT_TRUE(before->send(request("GET", "/x"))) << "an open connection goes on";
  EXPECT_FALSE(secure_client()->send(request("GET", "/x"))) << "the old authority does not vouch for the new one";
  const auto after = make_client(Url{"127.0.0.1", server_->port(), "", true}, 20s, other.certificate("ca"));
  EXPECT_TRUE(after->send(request("GET", "/x")));
}

TEST_F(ServerTls, RefusesToStartWithFilesThatDoNotFit) {
  const auto problem = [&] {
    const auto started = start_server(options_, handler_, logger_);
    return started ? "no problem" : started.error().message;
  };
  options_.tls.key = certificates_.key("kate");
  EXPECT_THAT(problem(), HasSubstr("http.tls_key"));
  options_.tls.key = "";
  EXPECT_THAT(problem(), HasSubstr("go together"));
  options_.tls.certificate = "";
  options_.tls.client_ca = certificates_.certificate("ca");
  EXPECT_THAT(problem(), HasSubstr("http.tls_client_ca needs"));
  options_.tls = {certificates_.certificate("door"), certificates_.key("door"), "", true, false};
  EXPECT_THAT(problem(), HasSubstr("needs http.tls_client_ca"));
}

TEST_F(ServerTls, SendsAnswersInFlightWhenItStops) {
  handler_.answer = {};
  start();
  auto client = secure_client();
  Result<Response> answer = fail(ErrorCode::kUnavailable, "not yet");
  std::thread asker([&] { answer = client->send(request("GET", "/later")); });
  {
    std::unique_lock lock(handler_.mutex);
    handler_.arrived.wait(lock, [&] { return !handler_.held.empty(); });
  }
  std::thread stopper([&] { server_->stop(20s); });
  handler_.release();
  asker.join();
  stopper.join();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "GET /later ");
}

}  // namespace
}  // namespace pinflow::http
