#include "live/live_routes.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "doors/openapi_fixture.h"
#include "log/testing/memory_log.h"

namespace pinflow::live {
namespace {

using http::Request;
using http::Response;
using std::chrono::seconds;
using testing::HasSubstr;

const std::string kTopic = "streaming-pinterest-pin";

struct LiveRoutesTest : testing::Test {
  LiveRoutesTest() {
    routes.add_to(router);
    const auto end = log.append(kTopic, 0,
                                {R"({"index": 1, "poster_name": "Ada \"A\"", "follower_count": "9k"})",
                                 R"({"index": 2, "poster_name": "Bob", "follower_count": "2M"})",
                                 R"({"index": 3, "poster_name": "Cid / Co", "follower_count": "User Info Error"})",
                                 R"({"index": 4, "poster_name": "Cid / Co", "follower_count": "User Info Error"})"},
                                clock.now());
    CHECK(metrics.wait_until({kTopic, log::PartitionId(0)}, end, seconds(30)), "the posts are read");
  }

  Response get(std::vector<std::string> segments, std::vector<std::pair<std::string, std::string>> query = {},
               std::string method = "GET") {
    Request request;
    request.method = std::move(method);
    request.segments = std::move(segments);
    request.query = std::move(query);
    std::promise<Response> promise;
    router.handle(std::move(request), [&](Response response) { promise.set_value(std::move(response)); });
    return promise.get_future().get();
  }

  log::MemoryLog log;
  ManualClock clock;
  NullLogger logger;
  LiveMetrics metrics{{.topics = {kTopic}}, log, clock, logger};
  LiveRoutes routes{metrics};
  http::Router router;
};

TEST_F(LiveRoutesTest, ListsTheMostPopularProfiles) {
  const Response response = get({"live", "profiles"});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_THAT(
      response.body,
      testing::StartsWith(R"({"formula_version":1,"weights":{"followers":0.5,"activity":0.35,"velocity":0.15},)"
                          R"("as_of":"2023-11-14T22:13:20.000Z",)"
                          R"("positions":[{"topic":"streaming-pinterest-pin","partition":0,"next_offset":4,"lag":0}],)"
                          R"("profiles":3,"active_profiles":3,)"));
  EXPECT_THAT(response.body, HasSubstr(R"("by":"popularity","items":[{"rank":1,"profile":"Bob","popularity":)"));
  EXPECT_THAT(response.body, HasSubstr(R"("followers":2000000,"posts":1,"activity":1,)"));
  EXPECT_THAT(response.body, HasSubstr(R"({"rank":2,"profile":"Ada \"A\"",)"));
  EXPECT_THAT(response.body, HasSubstr(R"({"rank":3,"profile":"Cid / Co",)"));
  EXPECT_THAT(response.body, HasSubstr(R"("followers":null,"posts":2,"activity":2,)"));
}

TEST_F(LiveRoutesTest, OrdersAndCutsAsAsked) {
  const Response busiest = get({"live", "profiles"}, {{"by", "activity"}, {"k", "1"}});
  EXPECT_THAT(busiest.body, HasSubstr(R"("by":"activity","items":[{"rank":1,"profile":"Cid / Co")"));
  EXPECT_THAT(busiest.body, testing::Not(HasSubstr("Bob")));
  const Response followed = get({"live", "profiles"}, {{"by", "followers"}});
  EXPECT_THAT(followed.body, HasSubstr(R"("by":"followers","items":[{"rank":1,"profile":"Bob")"));
}

TEST_F(LiveRoutesTest, RefusesBadParametersInWords) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"k", "0"},
                                                                                    {"k", "1001"},
                                                                                    {"k", "-1"},
                                                                                    {"k", "ten"},
                                                                                    {"k", ""},
                                                                                    {"k", "10 "},
                                                                                    {"k", "99999999999999999999"}}) {
    const Response response = get({"live", "profiles"}, {{name, value}});
    EXPECT_EQ(response.status, 400) << value;
    EXPECT_THAT(response.body, HasSubstr("a whole number from 1 to 1000")) << value;
  }
  const Response order = get({"live", "profiles"}, {{"by", "fame"}});
  EXPECT_EQ(order.status, 400);
  EXPECT_THAT(order.body, HasSubstr("popularity, activity or followers, not 'fame'"));
  const Response unknown = get({"live", "profiles"}, {{"limit", "10"}});
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("'limit' is no parameter here; allowed are k and by"));
}

TEST_F(LiveRoutesTest, GivesOneProfileByItsName) {
  const Response response = get({"live", "profiles", "Cid / Co"});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("item":{"rank":3,"profile":"Cid / Co",)"));
  EXPECT_THAT(response.body, HasSubstr(R"("parts":{"followers":0,)"));
}

TEST_F(LiveRoutesTest, SaysThatAProfileIsUnknown) {
  const Response response = get({"live", "profiles", "Zoe"});
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("no post of a profile 'Zoe' was seen"));
}

TEST_F(LiveRoutesTest, TakesOnlyGet) {
  EXPECT_EQ(get({"live", "profiles"}, {}, "POST").status, 405);
}

TEST_F(LiveRoutesTest, AnswersManyWhoAskAtOnce) {
  std::vector<std::future<int>> statuses;
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_shared<std::promise<int>>();
    statuses.push_back(promise->get_future());
    routes.top({}, [promise](Response response) { promise->set_value(response.status); });
  }
  for (auto& status : statuses) EXPECT_EQ(status.get(), 200);
}

TEST_F(LiveRoutesTest, AnswersAsTheOpenApiDocumentSays) {
  const doors::OpenApi api;
  for (const auto& [method, pattern] : router.routes())
    EXPECT_TRUE(api.operations().contains({method, pattern})) << pattern;
  for (const auto& [method, pattern] : api.operations()) {
    if (!pattern.starts_with("/live/")) continue;
    const auto routes = router.routes();
    EXPECT_EQ(std::ranges::count(routes, std::pair(method, pattern)), 1) << pattern;
  }
  EXPECT_EQ(api.complaint("GET", "/live/profiles", get({"live", "profiles"})), "");
  EXPECT_EQ(api.complaint("GET", "/live/profiles", get({"live", "profiles"}, {{"k", "x"}})), "");
  EXPECT_EQ(api.complaint("GET", "/live/profiles/{name}", get({"live", "profiles", "Bob"})), "");
  EXPECT_EQ(api.complaint("GET", "/live/profiles/{name}", get({"live", "profiles", "Nobody"})), "");
}

}  // namespace
}  // namespace pinflow::live
