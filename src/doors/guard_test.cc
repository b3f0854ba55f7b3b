#include "doors/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/grants.h"
#include "base/base64.h"
#include "disk/memory_disk.h"
#include "doors/denied.h"

namespace pinflow::doors {
namespace {

using access::Right;
using testing::HasSubstr;
using Fields = std::vector<std::pair<std::string, std::string>>;

// Answers with who asks; for "/topics/{t}" whether it may produce there, as a door would.
class Doors final : public http::Handler {
 public:
  void handle(http::Request request, http::Responder respond) override {
    ++handled;
    if (request.body_stream != nullptr) stream = std::move(request.body_stream);
    if (request.segments.size() == 2 && !access::may(request.caller, Right::kProduce, request.segments[1]))
      return respond(denied(request.caller, Right::kProduce, request.segments[1]));
    respond(http::Response::json(200, request.caller == nullptr ? "nobody" : request.caller->name()));
  }
  int handled = 0;
  std::unique_ptr<http::BodyStream> stream;
};

class GuardTest : public testing::Test {
 protected:
  GuardTest() {
    options_.tokens = tokens_.get();
    options_.anonymous.clear();
  }

  std::string make(std::string name, std::string_view grants, access::RateLimits limits = {}) {
    return tokens_->create({.name = std::move(name), .grants = access::parse_grants(grants).value(), .limits = limits})
        .value()
        .text;
  }
  static std::pair<std::string, std::string> bearer(std::string_view token) {
    return {"Authorization", fmt::format("Bearer {}", token)};
  }
  static std::pair<std::string, std::string> basic(std::string_view user, std::string_view password) {
    return {"Authorization", "Basic " + base64_encode(fmt::format("{}:{}", user, password))};
  }
  http::Request request(std::string method, std::vector<std::string> segments, const Fields& fields) {
    http::Request out;
    out.method = std::move(method);
    out.segments = std::move(segments);
    for (const auto& [name, value] : fields) out.headers.add(name, value);
    out.peer = peer_;
    return out;
  }
  http::Response ask(std::string method, std::vector<std::string> segments, const Fields& fields = {},
                     std::string body = {}) {
    if (!guard_) guard_.emplace(options_, clock_, logger_, doors_);
    http::Request head = request(std::move(method), std::move(segments), fields);
    http::Admission admission = guard_->admit(head);
    if (admission.refusal) return std::move(*admission.refusal);
    http::Response answer;
    answer.status = 0;
    head.body = std::move(body);
    guard_->handle(std::move(head), [&](http::Response response) { answer = std::move(response); });
    return answer;
  }
  static std::vector<std::string> all(const http::Response& response, std::string_view name) {
    std::vector<std::string> values;
    for (const auto& [key, value] : response.headers.fields()) {
      if (key == name) values.push_back(value);
    }
    return values;
  }

  ManualClock clock_;
  NullLogger logger_;
  disk::MemoryDisk disk_{&clock_};
  std::unique_ptr<access::TokenStore> tokens_ = access::TokenStore::open("/access", disk_, clock_, logger_).value();
  Doors doors_;
  http::Peer peer_{.address = "192.0.2.1", .encrypted = false, .certificate = {}};
  GuardOptions options_;
  std::optional<Guard> guard_;  // Made by the first ask(), of options_.
};

TEST_F(GuardTest, WithoutCredentialsNothingIsServedButProbesAndTheRoot) {
  const auto refused = ask("GET", {"topics"});
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr(R"("error_code":40101)"));
  EXPECT_THAT(all(refused, "WWW-Authenticate"),
              testing::ElementsAre(R"(Bearer realm="pinflow")", R"(Basic realm="pinflow", charset="UTF-8")"));
  EXPECT_EQ(doors_.handled, 0);
  for (const char* open : {"healthz", "readyz"}) EXPECT_EQ(ask("GET", {open}).status, 200);
  EXPECT_EQ(ask("GET", {"healthz", "more"}).status, 401);
  EXPECT_EQ(ask("POST", {}).body, "anonymous");
  EXPECT_EQ(ask("GET", {"metrics"}).status, 401);
  EXPECT_EQ(ask("GET", {"live", "profiles"}).status, 401);
}

TEST_F(GuardTest, RequestsThatWereNotAdmittedAreBeforeTheyAreServed) {
  guard_.emplace(options_, clock_, logger_, doors_);
  http::Response answer;
  guard_->handle(request("GET", {"topics"}, {}), [&](http::Response response) { answer = std::move(response); });
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(doors_.handled, 0);
}

TEST_F(GuardTest, TokensAreTakenAsBearerAndAsBasic) {
  const std::string token = make("shop", "query");
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).body, "shop");
  EXPECT_EQ(ask("GET", {"topics"}, {{"authorization", "bearer   " + token}}).body, "shop");
  EXPECT_EQ(ask("GET", {"topics"}, {basic("anything", token)}).body, "shop");
  EXPECT_EQ(ask("GET", {"topics"}, {basic(token, "")}).body, "shop");
  EXPECT_EQ(ask("GET", {"topics"}, {basic("shop", token.substr(token.rfind('_') + 1))}).body, "shop");
}

TEST_F(GuardTest, WrongCredentialsAreRefusedAlsoWhereNoneWouldDo) {
  options_.anonymous = access::parse_grants("admin").value();
  const auto refused = ask("GET", {"topics"}, {bearer("pft_aaaaaaaa_wrong")});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(all(refused, "WWW-Authenticate")[0], R"(Bearer realm="pinflow", error="invalid_token")");
  EXPECT_EQ(ask("GET", {"topics"}, {{"Authorization", "Basic !!"}}).status, 401);
  EXPECT_EQ(ask("GET", {"topics"}, {{"Authorization", "Negotiate abc"}}).status, 401);
  EXPECT_EQ(ask("GET", {"topics"}).body, "anonymous");
}

TEST_F(GuardTest, ExpiryAndRevocationHoldWithoutARestart) {
  const std::string brief = tokens_
                                ->create({.name = "brief",
                                          .grants = access::parse_grants("query").value(),
                                          .expires = clock_.now() + std::chrono::seconds(10)})
                                .value()
                                .text;
  const std::string revoked = make("revoked", "query");
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(brief)}).status, 200);
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(revoked)}).status, 200);
  const auto tool = access::TokenStore::open("/access", disk_, clock_, logger_).value();
  ASSERT_TRUE(tool->revoke("revoked"));
  clock_.advance(std::chrono::seconds(10));
  EXPECT_THAT(ask("GET", {"topics"}, {bearer(brief)}).body, HasSubstr("the token has expired"));
  EXPECT_THAT(ask("GET", {"topics"}, {bearer(revoked)}).body, HasSubstr("was revoked"));
}

TEST_F(GuardTest, DoorsTellATokenOfTheWrongTopicFromNoToken) {
  options_.anonymous = access::parse_grants("produce:open").value();
  const std::string token = make("shop", "produce:shop.*");
  EXPECT_EQ(ask("POST", {"topics", "shop.orders"}, {bearer(token)}).status, 200);
  const auto forbidden = ask("POST", {"topics", "other"}, {bearer(token)});
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_EQ(forbidden.body, R"({"error_code":40301,"message":"'shop' may not produce to 'other'"})");
  EXPECT_EQ(ask("POST", {"topics", "open"}).status, 200);
  const auto asked = ask("POST", {"topics", "other"});
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(all(asked, "WWW-Authenticate").size(), 2U);
}

TEST_F(GuardTest, LiveMetricsAndMetricsNeedTheRightToQuery) {
  const std::string producer = make("producer", "produce:*");
  const std::string reader = make("reader", "query");
  for (const char* root : {"live", "metrics"}) {
    EXPECT_EQ(ask("GET", {root}, {bearer(producer)}).status, 403) << root;
    EXPECT_EQ(ask("GET", {root}, {bearer(reader)}).status, 200) << root;
  }
}

TEST_F(GuardTest, MetricsAreOpenWhereTheSettingSaysSo) {
  options_.open_metrics = true;
  EXPECT_EQ(ask("GET", {"metrics"}).status, 200);
  EXPECT_EQ(ask("GET", {"live"}).status, 401);
}

TEST_F(GuardTest, SignaturesOfAwsClientsPassOnToTheRootAlone) {
  const Fields signed_fields{{"Authorization", "AWS4-HMAC-SHA256 Credential=a"}};
  EXPECT_EQ(ask("POST", {}, signed_fields).body, "anonymous");
  EXPECT_EQ(ask("POST", {"topics"}, signed_fields).status, 401);
}

TEST_F(GuardTest, WhereTokensAreOffCredentialsAreNotLookedAt) {
  options_.tokens = nullptr;
  options_.anonymous = access::parse_grants("admin").value();
  EXPECT_EQ(ask("POST", {"topics", "x"}, {basic("a", "b")}).body, "anonymous");
}

TEST_F(GuardTest, ClientCertificatesCountBySubject) {
  options_.certificates = access::parse_certificate_grants("produce:bills CN=billing,*\n").value();
  peer_.certificate = "CN=billing,O=Acme";
  EXPECT_EQ(ask("POST", {"topics", "bills"}).body, "CN=billing,O=Acme");
  EXPECT_EQ(ask("POST", {"topics", "other"}).status, 403);
  peer_.certificate = "CN=stranger";
  EXPECT_EQ(ask("POST", {"topics", "bills"}).status, 401);
}

TEST_F(GuardTest, OverdrawnLimitsAreAnsweredWithTheTimeToWait) {
  const std::string token = make("slow", "query", {.requests = 2, .bytes = {}, .records = {}});
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200);
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200);
  const auto refused = ask("GET", {"topics"}, {bearer(token)});
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr(R"("error_code":42901)"));
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  EXPECT_EQ(refused.headers.get("RateLimit-Policy"), R"("requests";q=2;w=1)");
  EXPECT_EQ(refused.headers.get("RateLimit"), R"("requests";r=0;t=1)");
  clock_.advance(std::chrono::milliseconds(500));
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200);
}

TEST_F(GuardTest, BytesOfBodiesCountAgainstTheLimit) {
  const std::string token = make("slow", "query", {.requests = {}, .bytes = 1000, .records = {}});
  EXPECT_EQ(ask("POST", {"topics"}, {bearer(token)}, std::string(4000, 'x')).status, 200);
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).headers.get("Retry-After"), "4");
  clock_.advance(std::chrono::seconds(4));
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200);
}

class OnePiece final : public http::BodyStream {
 public:
  void next(Take take) override { take(std::string(3000, 'x')); }
};

TEST_F(GuardTest, StreamedBodiesCountPieceByPiece) {
  const std::string token = make("slow", "query", {.requests = {}, .bytes = 1000, .records = {}});
  ASSERT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200);
  auto head = request("POST", {"topics"}, {bearer(token)});
  ASSERT_FALSE(guard_->admit(head).refusal);
  head.body_stream = std::make_unique<OnePiece>();
  guard_->handle(std::move(head), [](const http::Response&) {});
  ASSERT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200);
  doors_.stream->next([](const http::BodyStream::Piece& piece) { EXPECT_TRUE(piece); });
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 429);
}

TEST_F(GuardTest, AStreamedBodyMayBeDroppedWhileItIsRead) {
  guard_.emplace(options_, clock_, logger_, doors_);
  auto head =
      request("POST", {"topics"}, {bearer(make("slow", "query", {.requests = {}, .bytes = 1000, .records = {}}))});
  ASSERT_FALSE(guard_->admit(head).refusal);
  head.body_stream = std::make_unique<OnePiece>();
  guard_->handle(std::move(head), [](const http::Response&) {});
  doors_.stream->next([this](const http::BodyStream::Piece&) { doors_.stream.reset(); });
  EXPECT_EQ(doors_.stream, nullptr);
}

TEST_F(GuardTest, WhoGuessesIsSlowedDownAndLocksOutNobodyElse) {
  const std::string victim = make("victim", "query");
  const std::string other = make("other", "query");
  const std::string guess = victim.substr(0, victim.size() - 1) + (victim.ends_with('a') ? 'b' : 'a');
  for (int i = 0; i <= access::FailedAttempts::kFree; ++i)
    EXPECT_EQ(ask("GET", {"topics"}, {bearer(guess)}).status, 401);
  const auto slowed = ask("GET", {"topics"}, {bearer(guess)});
  EXPECT_EQ(slowed.status, 429);
  EXPECT_EQ(slowed.headers.get("Retry-After"), "1");
  EXPECT_EQ(ask("GET", {"topics"}, {basic("victim", "x")}).status, 429);
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(other)}).status, 200);
  peer_.address = "192.0.2.2";
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(victim)}).status, 200);
  peer_.address = "192.0.2.1";
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(victim)}).status, 200);
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(guess)}).status, 401);
  EXPECT_EQ(guard_->refused().guessing, 2U);
  EXPECT_EQ(guard_->refused().credentials, access::FailedAttempts::kFree + 2U);
}

TEST_F(GuardTest, WhoKnowsTheTokenIsForgivenAllGuesses) {
  const std::string token = make("shop", "query");
  const std::string guess = token.substr(0, token.size() - 1) + (token.ends_with('a') ? 'b' : 'a');
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < access::FailedAttempts::kFree; ++i)
      EXPECT_EQ(ask("GET", {"topics"}, {bearer(guess)}).status, 401) << round << ' ' << i;
    EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).status, 200) << round;
  }
}

TEST_F(GuardTest, PagesOfOtherSitesNeedCredentialsOrAPlaceInTheList) {
  options_.anonymous = access::parse_grants("admin").value();
  EXPECT_EQ(ask("POST", {"topics", "x"}, {{"Origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(ask("POST", {"topics", "x"}, {{"Origin", "null"}}).status, 403);
  EXPECT_EQ(ask("POST", {"topics", "x"}, {{"Origin", "http://127.evil.example"}}).status, 403);
  EXPECT_EQ(ask("POST", {"topics", "x"}, {{"Origin", "http://localhost.evil.example"}}).status, 403);
  EXPECT_EQ(ask("POST", {"topics", "x"}, {{"Origin", "http://[::1].evil.example"}}).status, 403);
  for (const char* own : {"http://localhost:3000", "http://127.0.0.1", "http://[::1]:8082", "http://app.localhost"})
    EXPECT_EQ(ask("POST", {"topics", "x"}, {{"Origin", own}}).status, 200) << own;
  EXPECT_FALSE(ask("POST", {"topics", "x"}, {{"Origin", "http://localhost"}}).headers.get("Vary"));
}

TEST_F(GuardTest, ListedOriginsGetTheirPreflightsAndNamesBack) {
  options_.cors_origins = {"https://shop.example"};
  const std::string token = make("shop", "query");
  const Fields preflight{{"Origin", "https://shop.example"},
                         {"Access-Control-Request-Method", "POST"},
                         {"Access-Control-Request-Headers", "authorization,content-type"}};
  const auto allowed = ask("OPTIONS", {"topics", "x"}, preflight);
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Headers"), "authorization,content-type");
  EXPECT_THAT(*allowed.headers.get("Access-Control-Allow-Methods"), HasSubstr("POST"));
  EXPECT_EQ(doors_.handled, 0);
  const auto answer = ask("GET", {"topics"}, {{"Origin", "https://shop.example"}, bearer(token)});
  EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(answer.headers.get("Vary"), "Origin");
  EXPECT_FALSE(answer.headers.get("Access-Control-Allow-Credentials"));
  const auto refused = ask("GET", {"topics"}, {{"Origin", "https://shop.example"}});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.get("Access-Control-Allow-Origin"), "https://shop.example");
}

TEST_F(GuardTest, OtherOriginsGetNoPermissionAndCachesAreToldWhy) {
  options_.cors_origins = {"https://shop.example"};
  const std::string token = make("shop", "query");
  for (const char* origin : {"https://shop.example.evil", "http://shop.example", "https://SHOP.example"}) {
    const auto preflight = ask("OPTIONS", {"topics"}, {{"Origin", origin}, {"Access-Control-Request-Method", "GET"}});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_FALSE(preflight.headers.get("Access-Control-Allow-Origin"));
    const auto answer = ask("GET", {"topics"}, {{"Origin", origin}, bearer(token)});
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.headers.get("Access-Control-Allow-Origin"));
  }
  EXPECT_EQ(ask("GET", {"topics"}, {bearer(token)}).headers.get("Vary"), "Origin");
}

TEST_F(GuardTest, TheKinesisDoorAnswersBrowsersItselfWhereItIsToldTo) {
  options_.cors_origins = {"https://shop.example"};
  options_.kinesis_cors = true;
  const Fields preflight{{"Origin", "https://any.example"}, {"Access-Control-Request-Method", "POST"}};
  EXPECT_EQ(ask("OPTIONS", {}, preflight).body, "anonymous");
  EXPECT_EQ(ask("POST", {}, {{"Origin", "https://any.example"}}).body, "anonymous");
  EXPECT_EQ(ask("OPTIONS", {"topics"}, preflight).status, 204);
}

}  // namespace
}  // namespace pinflow::doors
