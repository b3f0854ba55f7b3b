// Live metrics as those see them who ask over HTTP: posts of the three kinds go in at the door, answers and events come out.

#include <algorithm>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/server_fixture.h"
#include "running_pinflow.h"

namespace pinflow::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

http::Response ask(const RunningPinflow& pinflow, std::string method, std::string target, std::string body = {}) {
  const auto client = http::make_client(*http::Url::parse(pinflow.url()), std::chrono::seconds(30));
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  auto response = client->send(request);
  EXPECT_TRUE(response) << (response ? "" : response.error().message);
  return response ? std::move(*response) : http::Response{};
}

void put(const RunningPinflow& pinflow, const std::string& kind, const std::string& data) {
  const std::string stream = "streaming-pinterest-" + kind;
  const auto body = fmt::format(R"({{"StreamName":"{}","Data":{},"PartitionKey":"k"}})", stream, data);
  EXPECT_EQ(ask(pinflow, "PUT", "/streams/" + stream + "/record", body).status, 200);
}

// A post with its place and its user, in the order given.
void post(const RunningPinflow& pinflow, int ind, const std::string& poster, const std::string& category) {
  put(pinflow, "geo",
      fmt::format(R"({{"ind":{},"timestamp":"2020-01-01T00:00:00","latitude":1.5,"longitude":2.5,"country":"Malta"}})",
                  ind));
  put(pinflow, "pin",
      fmt::format(
          R"({{"index":{},"unique_id":"u{}","title":"t","poster_name":"{}","follower_count":"9k","category":"{}"}})",
          ind, ind, poster, category));
  put(pinflow, "user",
      fmt::format(R"({{"ind":{},"first_name":"A","last_name":"B","age":20,"date_joined":"2016-01-01T00:00:00"}})",
                  ind));
}

class EventStream {
 public:
  EventStream(const RunningPinflow& pinflow, const std::string& query) : peer_(pinflow.port()) {
    peer_.send("GET /live/events" + query + " HTTP/1.1\r\nHost: h\r\n\r\n");
    head = peer_.read_until("\r\n\r\n");
  }
  // Reads frames until one has all of this; each minute has sixty.
  std::string frame_with(const std::vector<std::string>& parts) {
    std::string frame;
    for (int i = 0; i < 60; ++i) {
      frame = peer_.read_until("event: minutes") + peer_.read_until("\n\n");
      const bool has_all = std::ranges::all_of(parts, [&](const std::string& part) { return frame.contains(part); });
      if (has_all || !frame.ends_with("\n\n")) break;
    }
    return frame;
  }
  std::string rest() { return peer_.read_until("0\r\n\r\n"); }
  std::string head;

 private:
  http::RawPeer peer_;
};

TEST(LiveAnswers, ShowWhatWasPostedAndSoDoEvents) {
  const TemporaryFolder folder;
  RunningPinflow pinflow(folder / "data");
  EventStream events(pinflow, "?k=5");
  EXPECT_THAT(events.head, AllOf(HasSubstr("200 OK"), HasSubstr("Content-Type: text/event-stream")));
  EXPECT_THAT(events.frame_with({}), HasSubstr(R"("items":[])"));
  for (int ind = 1; ind <= 12; ++ind) post(pinflow, ind, ind == 1 ? "Bob / Co" : "Ada", "travel");
  const std::string frame = events.frame_with(
      {R"("profile":"Ada")", R"("category":"travel","posts":12,)", R"("country":"Malta","posts":12,)"});
  EXPECT_THAT(frame, AllOf(HasSubstr(R"("profile":"Ada")"), HasSubstr(R"("category":"travel","posts":12,)"),
                           HasSubstr(R"("country":"Malta","posts":12,)"), HasSubstr("event: minutes\nid: ")));

  EXPECT_THAT(
      ask(pinflow, "GET", "/live/profiles?k=1&by=posts&category=travel&country=Malta").body,
      AllOf(HasSubstr(R"("rank":1,"profile":"Ada")"), HasSubstr(R"("window_posts":{"5m":11,"1h":11,"24h":11})")));
  EXPECT_THAT(ask(pinflow, "GET", "/live/profiles/Bob%20%2F%20Co").body,
              AllOf(HasSubstr(R"("profile":"Bob / Co")"), HasSubstr(R"("country":"Malta")"),
                    HasSubstr(R"("age_group":"18-24")"), HasSubstr(R"("categories":[{"category":"travel")")));
  EXPECT_THAT(ask(pinflow, "GET", "/live/categories").body,
              AllOf(HasSubstr(R"("category":"travel","posts":12,)"), HasSubstr(R"("trend":{"posts":12,)")));
  EXPECT_THAT(ask(pinflow, "GET", "/live/countries?window=5m").body, HasSubstr(R"("top_category":"travel")"));
  EXPECT_THAT(ask(pinflow, "GET", "/live/age-groups").body, HasSubstr(R"("age_group":"18-24","posts":12,)"));
  EXPECT_THAT(ask(pinflow, "GET", "/live/minutes?minutes=2&country=Malta").body, HasSubstr(R"("country":"Malta")"));
  const std::string wanted =
      ask(pinflow, "GET", "/live/recommendations?category=travel&country=Malta&age_group=18-24&exclude=Ada").body;
  EXPECT_THAT(wanted, AllOf(HasSubstr(R"("profile":"Bob / Co")"), HasSubstr(R"("reasons":[{"kind":)")));
  EXPECT_THAT(wanted, ::testing::Not(HasSubstr(R"("profile":"Ada")")));
  EXPECT_THAT(ask(pinflow, "GET", "/metrics").body, HasSubstr("pinflow_live_event_subscribers 1\n"));

  EXPECT_EQ(pinflow.stop_gracefully(), 0);
  EXPECT_TRUE(events.rest().ends_with("0\r\n\r\n"));
}

}  // namespace
}  // namespace pinflow::testing
