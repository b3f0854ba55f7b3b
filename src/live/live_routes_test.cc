#include "live/live_routes.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/openapi_fixture.h"
#include "live/fake_answers_fixture.h"

namespace pinflow::live {
namespace {

using http::Request;
using http::Response;
using testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct LiveRoutesTest : testing::Test {
  LiveRoutesTest() { routes->add_to(router); }

  std::future<Response> begin(std::vector<std::string> segments, Pairs query = {}, std::string method = "GET") {
    Request request;
    request.method = std::move(method);
    request.segments = std::move(segments);
    request.query = std::move(query);
    auto promise = std::make_shared<std::promise<Response>>();  // Shared with the responder.
    auto response = promise->get_future();
    router.handle(std::move(request), [promise](Response given) { promise->set_value(std::move(given)); });
    return response;
  }
  Response get(std::vector<std::string> segments, Pairs query = {}, std::string method = "GET") {
    return begin(std::move(segments), std::move(query), std::move(method)).get();
  }

  FakeAnswers metrics;
  std::unique_ptr<LiveRoutes> routes = std::make_unique<LiveRoutes>(metrics);
  http::Router router;
};

TEST_F(LiveRoutesTest, AnswersEachQuestionInJsonThatNobodyKeeps) {
  for (const char* what : {"profiles", "categories", "countries", "age-groups", "minutes", "recommendations"}) {
    const Response response = get({"live", what});
    EXPECT_EQ(response.status, 200) << what;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
    EXPECT_THAT(response.body, testing::StartsWith(R"({"formula_version":)"));
    EXPECT_THAT(response.body, HasSubstr(R"("items":[)")) << what;
  }
}

TEST_F(LiveRoutesTest, AsksWhatTheQueryStringSays) {
  const Response response = get({"live", "profiles"}, {{"by", "activity"}, {"k", "1"}, {"country", "Malta"}});
  EXPECT_THAT(response.body, HasSubstr(R"("by":"activity","category":null,"country":"Malta","window":"1h")"));
  const auto& asked = std::get<ProfilesQuery>(metrics.asked.at(0));
  EXPECT_EQ(asked.order, ProfileOrder::kActivity);
  EXPECT_EQ(asked.k, 1);
  EXPECT_EQ(asked.country, "Malta");
}

TEST_F(LiveRoutesTest, RefusesBadParametersInWords) {
  const Response response = get({"live", "categories"}, {{"window", "2h"}});
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("window is 5m, 1h or 24h, not '2h'"));
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(get({"live", "profiles"}, {{"limit", "10"}}).status, 400);
  EXPECT_EQ(get({"live", "profiles", "Bob"}, {{"k", "10"}}).status, 400);
  EXPECT_EQ(metrics.calls, 0);
}

TEST_F(LiveRoutesTest, GivesOneProfileByItsName) {
  const Response response = get({"live", "profiles", "Cid / Co"});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("item":{"rank":2,"profile":"Cid / Co",)"));
}

TEST_F(LiveRoutesTest, SaysThatAProfileIsUnknown) {
  const Response response = get({"live", "profiles", "Zoe"});
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("no post of a profile 'Zoe' was seen"));
}

TEST_F(LiveRoutesTest, TakesOnlyReadingMethods) {
  EXPECT_EQ(get({"live", "profiles"}, {}, "HEAD").status, 200);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const Response response = get({"live", "categories"}, {}, method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.get("Allow"), "GET") << method;
  }
}

TEST_F(LiveRoutesTest, AnswersManyWhoAskAtOnceFromFewStates) {
  metrics.hold(true);
  std::vector<std::future<Response>> responses;
  for (int i = 0; i < 200; ++i) responses.push_back(begin({"live", "profiles"}));
  metrics.hold(false);
  for (auto& response : responses) EXPECT_EQ(response.get().status, 200);
  EXPECT_LE(metrics.calls, 1 + (199 + 31) / 32);
}

TEST_F(LiveRoutesTest, RefusesWhatIsTooMuchAndWhatWaitsAtTheEnd) {
  metrics.hold(true);
  std::vector<std::future<Response>> responses;
  const std::size_t most = LiveRoutes::kMaxWaiting + LiveRoutes::kMaxTogether;
  for (std::size_t i = 0; i <= most; ++i) responses.push_back(begin({"live", "minutes"}));
  const Response refused = responses.back().get();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  std::thread ending([&] { routes.reset(); });
  metrics.hold(false);
  ending.join();
  responses.pop_back();
  for (auto& response : responses) EXPECT_THAT(response.get().status, testing::AnyOf(200, 503));
}

TEST_F(LiveRoutesTest, AnswersAsTheOpenApiDocumentSays) {
  const doors::OpenApi api;
  auto told = api.operations();
  std::erase_if(told, [](const auto& operation) {
    return !operation.second.starts_with("/live/") || operation.second == "/live/events";
  });
  const auto routes = router.routes();
  EXPECT_THAT(told, testing::UnorderedElementsAreArray(routes));
  for (const auto& [method, pattern] : routes) {
    std::vector<std::string> segments = {"live", pattern.substr(std::string_view("/live/").size())};
    if (pattern.ends_with("/{name}")) segments = {"live", "profiles", "Cid / Co"};
    EXPECT_EQ(api.complaint(method, pattern, get(segments)), "") << pattern;
    EXPECT_EQ(api.complaint(method, pattern, get(segments, {{"no", "such"}})), "") << pattern;
  }
  EXPECT_EQ(api.complaint("GET", "/live/profiles/{name}", get({"live", "profiles", "Nobody"})), "");
}

}  // namespace
}  // namespace pinflow::live
