#include "http/internal/response_packer.h"

#include <gtest/gtest.h>

#include "http/internal/body_intake.h"
#include "http/internal/session_fixture.h"

namespace pinflow::http::internal {
namespace {

std::string unpack(std::string packed) {
  BodyIntake intake;
  intake.collect(Packing::kGzip, {}, 0);
  intake.inbox() = std::move(packed);
  EXPECT_FALSE(intake.settle() || intake.end());
  return intake.take();
}

TEST(ResponsePacker, PacksLargeTextForThoseWhoAskForIt) {
  const std::string body = "[" + std::string(5000, '1') + "]";
  auto response = Response::json(200, body);
  pack_response(response);
  EXPECT_LT(response.body.size(), 200U);
  EXPECT_EQ(unpack(response.body), body);
  EXPECT_EQ(response.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(response.headers.get("Vary"), "Accept-Encoding");
}

TEST(ResponsePacker, LeavesSmallForeignAndPackedBodiesAlone) {
  const std::string large(5000, 'x');
  Response cases[] = {Response::json(200, "small"), Response::json(200, large, "image/png"), Response::json(200, large),
                      Response::json(200, std::string(2 << 20, 'x'))};
  cases[2].headers.add("content-encoding", "zstd");
  for (auto& response : cases) {
    const auto body = response.body;
    pack_response(response);
    EXPECT_TRUE(response.body == body) << body.size();
    EXPECT_NE(response.headers.get("Content-Encoding"), "gzip");
  }
}

TEST(ResponsePacker, UnderstandsWhatIsAccepted) {
  const auto wants = [](std::string accepted, std::string method = "GET") {
    Request request;
    request.method = std::move(method);
    request.headers.add("accept-encoding", std::move(accepted));
    return wants_packed(request);
  };
  for (const auto* accepted : {"gzip", "br, GZIP", "deflate,gzip;q=0.5", "gzip ; q=1"})
    EXPECT_TRUE(wants(accepted)) << accepted;
  for (const auto* refused : {"", "br", "gzip;q=0", "gzip;q=0.0", "identity", "xgzip"})
    EXPECT_FALSE(wants(refused)) << refused;
  EXPECT_FALSE(wants("gzip", "POST"));
}

TEST(ResponsePacker, BothSessionsPack) {
  FakeOwner owner(make_http1_session);
  owner.handler = [&](StreamId id, const Request&) { owner.reply(id, Response::json(200, std::string(5000, '1'))); };
  const auto out = owner.send("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_LT(out.size(), 500U);
  EXPECT_EQ(unpack(out.substr(out.find("\r\n\r\n") + 4)), std::string(5000, '1'));
  EXPECT_GT(owner.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").size(), 5000U);
}

}  // namespace
}  // namespace pinflow::http::internal
