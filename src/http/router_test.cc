#include "http/router.h"

#include <gtest/gtest.h>

namespace pinflow::http {
namespace {

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    for (const auto* const route : {"GET /", "GET /topics", "GET /topics/{topic}", "POST /topics/{topic}",
                                    "POST /topics/{topic}/partitions/{partition}", "PUT /streams/{name}/record"}) {
      const std::string_view text = route;
      const auto space = text.find(' ');
      router_.add(std::string(text.substr(0, space)), text.substr(space + 1),
                  [text](const Request& request, Responder respond) {
                    std::string body(text);
                    for (const auto& [name, value] : request.parameters) body += " " + name + "=" + value;
                    respond(Response::json(200, body));
                  });
    }
  }

  Response ask(std::string method, std::vector<std::string> segments) {
    Request request;
    request.method = std::move(method);
    request.segments = std::move(segments);
    Response answer;
    router_.handle(std::move(request), [&](Response response) { answer = std::move(response); });
    return answer;
  }

  Router router_;
};

TEST_F(RouterTest, FindsTheRouteAndNamesItsParts) {
  EXPECT_EQ(ask("GET", {}).body, "GET /");
  EXPECT_EQ(ask("GET", {"topics", "a/b"}).body, "GET /topics/{topic} topic=a/b");
  EXPECT_EQ(ask("POST", {"topics", "t", "partitions", "3"}).body,
            "POST /topics/{topic}/partitions/{partition} topic=t partition=3");
}

TEST_F(RouterTest, AnswersHeadWithTheHandlerOfGet) {
  EXPECT_EQ(ask("HEAD", {"topics"}).body, "GET /topics");
}

TEST_F(RouterTest, DropsAStageBeforeAKnownRoot) {
  EXPECT_EQ(ask("PUT", {"Production", "streams", "s", "record"}).body, "PUT /streams/{name}/record name=s");
  EXPECT_EQ(ask("POST", {"topics", "streams"}).body, "POST /topics/{topic} topic=streams");
  EXPECT_EQ(ask("GET", {"Production"}).status, 404);
  EXPECT_EQ(ask("PUT", {"a", "b", "streams", "s", "record"}).status, 404);
}

TEST_F(RouterTest, NamesTheAllowedMethodsOfAKnownPath) {
  const auto answer = ask("DELETE", {"topics", "t"});
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.get("Allow"), "GET, POST");
  EXPECT_EQ(answer.body, R"({"error_code":405,"message":"HTTP 405 Method Not Allowed"})");
  EXPECT_EQ(ask("GET", {"nothing"}).body, R"({"error_code":404,"message":"HTTP 404 Not Found"})");
}

TEST_F(RouterTest, LeavesWhatNoRouteTakesToTheFallbackOfItsRoot) {
  router_.set_fallback("streams", [](const Request&, Responder respond) { respond(Response::json(403, "{}")); });
  EXPECT_EQ(ask("GET", {"streams", "s", "x"}).status, 403);
  EXPECT_EQ(ask("GET", {"stage", "streams", "s", "record"}).status, 403);
  EXPECT_EQ(ask("GET", {"nothing"}).status, 404);
  router_.set_fallback("", [](const Request&, Responder respond) { respond(Response::json(418, "{}")); });
  EXPECT_EQ(ask("GET", {"nothing"}).status, 418);
  EXPECT_EQ(ask("DELETE", {"topics", "t"}).status, 405);
}

TEST(HeadersTest, CompareNamesWithoutCaseAndReplace) {
  Headers headers;
  headers.add("A", "1");
  headers.add("b", "2");
  headers.add("a", "3");
  EXPECT_EQ(headers.get("B"), "2");
  headers.set("a", "4");
  EXPECT_EQ(headers.get("A"), "4");
  EXPECT_EQ(headers.fields().size(), 2U);
}

}  // namespace
}  // namespace pinflow::http
