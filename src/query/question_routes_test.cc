#include "query/question_routes.h"

#include <future>

#include <gmock/gmock.h>

#include "access/caller.h"
#include "batch/published.h"
#include "doors/openapi_fixture.h"
#include "query/query_fixture.h"

namespace pinflow::query {
namespace {

using http::Request;
using http::Response;
using testing::HasSubstr;
using testing::StartsWith;

class QuestionRoutesTest : public QueryFixture {
 protected:
  QuestionRoutesTest() {
    // Two versions of an answer, of which the older one is published.
    const delta::TableSpec spec{.name = "question_q", .schema = {{"text", "string"}, {"answer_order", "long"}}};
    make(spec, "SELECT * FROM (VALUES ('second', CAST(2 AS BIGINT)), ('=first', 1)) AS v(text, answer_order)");
    make(spec, "SELECT 'of the next run' AS text, CAST(3 AS BIGINT) AS answer_order");
    routes_ = std::make_unique<QuestionRoutes>(*store_, *engine_, statements_);
    routes_->add_to(router_);
  }

  void publish(std::string run, std::int64_t version) {
    batch::Publication publication;
    publication.run_id = std::move(run);
    publication.tables["question_q"] = {delta::Version(version), 2};
    publication.questions.push_back({"q", "What?", {"text"}, "question_q", 2, "run-1", {}});
    publication.questions.push_back({"wrong", "", {}, "question_wrong", 0, "", "line 3: no column x"});
    publication.checks.push_back({"sentinels", "Unknown ones", true, 7, {}});
    ASSERT_TRUE(batch::publish(*store_, publication).has_value());
  }

  Response get(std::vector<std::string> segments, std::string_view pattern, std::string tag = {},
               std::shared_ptr<const access::Caller> caller = nullptr) {
    Request request;
    request.method = "GET";
    request.segments = std::move(segments);
    request.caller = std::move(caller);
    if (!tag.empty()) request.headers.add("If-None-Match", std::move(tag));
    auto promise =
        std::make_shared<std::promise<Response>>();  // Shared with the responder, which may outlive this call.
    router_.handle(std::move(request), [promise](Response response) { promise->set_value(std::move(response)); });
    Response response = promise->get_future().get();
    if (response.headers.get("Content-Type") == "application/json") {
      EXPECT_EQ(doors::OpenApi().complaint("GET", pattern, response), "") << response.status << " " << response.body;
    }
    return response;
  }
  Response one(const std::string& name, std::string tag = {}) {
    return get({"questions", name}, "/questions/{name}", std::move(tag));
  }

  http::Router router_;
  std::unique_ptr<QuestionRoutes> routes_;
};

TEST_F(QuestionRoutesTest, GivesThePublishedVersionInEveryForm) {
  publish("run-1", 1);
  EXPECT_EQ(one("q.csv").body, "text\r\n'=first\r\nsecond\r\n");
  EXPECT_THAT(one("q.json").body, HasSubstr(R"("text":)"));
  EXPECT_THAT(one("q.parquet").body, StartsWith("PAR1"));
  const Response document = one("q");
  EXPECT_EQ(document.status, 200);
  EXPECT_THAT(document.body, HasSubstr(R"("state":"answered")"));
  EXPECT_THAT(document.body, HasSubstr(R"("rows":[["=first"],["second"]],"row_count":2)"));
}

TEST_F(QuestionRoutesTest, SaysThatTheCallerHasItAlready) {
  publish("run-1", 1);
  const Response first = one("q.csv");
  const std::string tag(first.headers.get("ETag").value());
  EXPECT_EQ(one("q.csv", tag).status, 304);
  EXPECT_EQ(one("q.json", tag).status, 200);  // Another form is another answer.
  publish("run-2", 2);
  const Response next = one("q.csv", tag);
  EXPECT_EQ(next.status, 200);
  EXPECT_THAT(next.body, HasSubstr("of the next run"));
}

TEST_F(QuestionRoutesTest, ListsQuestionsWithTheirState) {
  publish("run-2", 1);
  const Response list = get({"questions"}, "/questions");
  EXPECT_THAT(list.body, HasSubstr(R"("name":"q","description":"What?","state":"stale")"));
  EXPECT_THAT(list.body,
              HasSubstr(R"("name":"wrong","description":"","state":"failed","error":"line 3: no column x")"));
  EXPECT_THAT(list.body, HasSubstr(R"("state":"unanswered")"));  // Those of the program, which no run answered here.
  EXPECT_THAT(list.body, HasSubstr(R"("csv":"/questions/q.csv")"));
  EXPECT_THAT(
      get({"checks"}, "/checks").body,
      HasSubstr(R"({"name":"sentinels","description":"Unknown ones","severity":"stop","findings":7,"error":""})"));
}

TEST_F(QuestionRoutesTest, NamesWhatThereIsInPlaceOfWhatIsNot) {
  EXPECT_EQ(get({"checks"}, "/checks").status, 404);
  publish("run-1", 1);
  EXPECT_THAT(one("nope.csv").body, HasSubstr("there is no question 'nope'. The questions are: "));
  EXPECT_EQ(one("wrong").status, 404);
  EXPECT_THAT(one("wrong").body, HasSubstr("line 3: no column x"));
}

TEST_F(QuestionRoutesTest, AsksForTheRightToQuery) {
  publish("run-1", 1);
  const auto producer =
      std::make_shared<const access::Caller>("shop", std::vector<access::Grant>{{access::Right::kProduce, "*"}});
  EXPECT_EQ(get({"questions"}, "/questions", {}, producer).status, 403);
}

TEST_F(QuestionRoutesTest, StatementsReadThePublishedVersionToo) {
  publish("run-1", 1);
  EXPECT_EQ(ask("SELECT count(*) AS n FROM question_q").value().body, "n\r\n2\r\n");
}

}  // namespace
}  // namespace pinflow::query
