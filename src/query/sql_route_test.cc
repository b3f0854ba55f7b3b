#include "query/sql_route.h"

#include <future>

#include <gmock/gmock.h>

#include "access/caller.h"
#include "doors/openapi_fixture.h"
#include "http/router.h"
#include "query/query_fixture.h"

namespace pinflow::query {
namespace {

using http::Request;
using http::Response;
using testing::HasSubstr;

class SqlRouteTest : public QueryFixture {
 protected:
  SqlRouteTest() {
    make({.name = "shop", .schema = {{"a", "long"}, {"b", "string"}}},
         "SELECT i AS a, 'b' || i AS b FROM range(2) AS r(i)");
    runner_ =
        std::make_unique<QueryRunner>(options_, RunnerContext{*store_, *engine_, statements_, names_, clock_, logger_});
    route_ = std::make_unique<SqlRoute>(*runner_);
    route_->add_to(router_);
  }

  Request request(std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request;
    request.method = "POST";
    request.segments = {"sql"};
    request.body = std::move(body);
    for (auto& [name, value] : headers) request.headers.add(name, value);
    return request;
  }

  std::future<Response> send(Request request) {
    auto promise =
        std::make_shared<std::promise<Response>>();  // Shared with the responder, which may outlive this call.
    router_.handle(std::move(request), [promise](Response response) { promise->set_value(std::move(response)); });
    return promise->get_future();
  }

  Response post(std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
    Response response = send(request(std::move(body), std::move(headers))).get();
    if (response.headers.get("Content-Type") == "application/json") {
      EXPECT_EQ(doors::OpenApi().complaint("POST", "/sql", response), "") << response.status << " " << response.body;
    }
    return response;
  }

  http::Router router_;
  std::unique_ptr<QueryRunner> runner_;
  std::unique_ptr<SqlRoute> route_;
};

TEST_F(SqlRouteTest, AnswersJsonCsvAndParquetAsAsked) {
  const Response json = post(R"({"sql": "SELECT a, b FROM shop ORDER BY a"})", {{"Content-Type", "application/json"}});
  EXPECT_EQ(json.status, 200) << json.body;
  EXPECT_THAT(json.body, HasSubstr(R"("rows":[[0,"b0"],[1,"b1"]],"row_count":2)"));
  EXPECT_EQ(json.headers.get("Pinflow-Table-Versions"), "shop=1");
  const Response csv = post("SELECT max(a) AS m FROM shop", {{"Accept", "text/csv"}});
  EXPECT_EQ(csv.body, "m\r\n1\r\n");
  EXPECT_EQ(csv.headers.get("Content-Type"), "text/csv; charset=utf-8");
  Request parquet = request("FROM shop");
  parquet.query = {{"format", "parquet"}};
  EXPECT_THAT(send(std::move(parquet)).get().body, testing::StartsWith("PAR1"));
}

TEST_F(SqlRouteTest, SaysWhatIsWrong) {
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post("SELECT 1", {{"Accept", "image/png"}}).status, 406);
  EXPECT_THAT(post("{", {{"Content-Type", "application/json"}}).body, HasSubstr("no JSON object"));
  EXPECT_THAT(post(R"({"query": "x"})", {{"Content-Type", "application/json"}}).body,
              HasSubstr("unknown member query"));
  EXPECT_THAT(post(R"({"sql": "FROM shop", "as_of": "now"})", {{"Content-Type", "application/json"}}).body,
              HasSubstr("as_of is 'now'"));
  const Response refused = post("SELECT * FROM read_text('/etc/passwd')");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("read_text() is not allowed"));
  EXPECT_EQ(post("FROM range(20000)").status, 422);
}

TEST_F(SqlRouteTest, AsksForTheRightToQuery) {
  Request asked = request("SELECT 1");
  asked.caller =
      std::make_shared<const access::Caller>("shop", std::vector<access::Grant>{{access::Right::kProduce, "*"}});
  EXPECT_EQ(send(std::move(asked)).get().status, 403);
  Request allowed = request("SELECT 1");
  allowed.caller =
      std::make_shared<const access::Caller>("reader", std::vector<access::Grant>{{access::Right::kQuery, "*"}});
  EXPECT_EQ(send(std::move(allowed)).get().status, 200);
  EXPECT_THAT(logger_.line(), HasSubstr("caller=reader"));
}

TEST_F(SqlRouteTest, RefusesWhatDoesNotFitTheQueueAndEndsWhatRuns) {
  const std::string slow = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7";
  std::vector<std::future<Response>> responses;
  for (std::size_t i = 0; i < SqlRoute::kAtOnce + SqlRoute::kMaxWaiting + 1; ++i)
    responses.push_back(send(request(slow)));
  const Response refused = responses.back().get();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  route_.reset();  // Ends what runs: else this test would last for minutes.
  for (std::future<Response>& response : responses) {
    if (!response.valid()) continue;
    const Response ended = response.get();
    EXPECT_EQ(ended.status, 503) << ended.body;
    EXPECT_EQ(ended.headers.get("Retry-After"), "1");
  }
}

TEST_F(SqlRouteTest, OfTwoHundredAtOnceEachIsAnsweredOrSentAway) {
  std::vector<std::future<Response>> responses;
  for (int i = 0; i < 200; ++i) responses.push_back(send(request("SELECT max(a) AS m FROM shop")));
  int answered = 0;
  for (std::future<Response>& future : responses) {
    const Response response = future.get();
    answered += response.status == 200 ? 1 : 0;
    if (response.status == 200) continue;
    EXPECT_EQ(response.status, 503) << response.body;
    EXPECT_EQ(response.headers.get("Retry-After"), "1");
  }
  EXPECT_GE(answered, static_cast<int>(SqlRoute::kAtOnce + SqlRoute::kMaxWaiting) - 2);
  EXPECT_LT(answered, 200);
  EXPECT_EQ(post("SELECT 1").status, 200);
}

TEST_F(SqlRouteTest, ReadsTheVersionsThatAnAnswerNamed) {
  const std::string before{post("FROM shop").headers.get("Pinflow-Table-Versions").value()};
  make({.name = "shop", .schema = {{"a", "long"}, {"b", "string"}}}, "SELECT 9::BIGINT AS a, 'x' AS b");
  Request again = request("SELECT count(*) AS n FROM shop", {{"Accept", "text/csv"}});
  again.query = {{"as_of", before}};
  EXPECT_EQ(send(std::move(again)).get().body, "n\r\n2\r\n");
  EXPECT_EQ(post("SELECT count(*) AS n FROM shop", {{"Accept", "text/csv"}}).body, "n\r\n3\r\n");
}

}  // namespace
}  // namespace pinflow::query
