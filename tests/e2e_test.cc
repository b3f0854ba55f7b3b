// The whole pipeline as a user runs it: the program as a process, posts by HTTP, answers by command line and by reading its files.

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/descriptor.h"
#include "http/client.h"
#include "net/certificates_fixture.h"
#include "posting_load.h"
#include "running_pinflow.h"
#include "stored_data.h"

namespace pinflow::testing {
namespace {

using ::testing::HasSubstr;

std::filesystem::path test_data() {
  const char* folder = std::getenv("PINFLOW_TEST_DATA");
  return folder != nullptr ? folder : PINFLOW_SOURCE_DIR "/../shared/data";
}

http::Response send(const RunningPinflow& pinflow, std::string method, std::string target, std::string type,
                    std::string body) {
  const auto client = http::make_client(*http::Url::parse(pinflow.url()), std::chrono::seconds(30));
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!type.empty()) request.headers.add("Content-Type", std::move(type));
  request.body = std::move(body);
  auto response = client->send(request);
  EXPECT_TRUE(response) << (response ? "" : response.error().message);
  return response ? std::move(*response) : http::Response{};
}

void expect_ok(const Finished& finished) {
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
}

constexpr const char* kJson = "application/vnd.kafka.json.v2+json";

TEST(RealRows, GiveOneCleanRowAPostInBothLanesAndTheLanesAgree) {
  if (!std::filesystem::exists(test_data() / "real")) GTEST_SKIP() << "no folder " << test_data() / "real";
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  expect_ok(run_pinflow({"source", "import", (test_data() / "real").string(), "--data", data}));
  {
    RunningPinflow pinflow(data);
    expect_ok(run_pinflow({"emulate", "--data", data, "--to", "both", "--burst", "--url", pinflow.url()}));
    ASSERT_EQ(pinflow.stop_gracefully(), 0);
  }
  expect_ok(run_pinflow({"batch", "run", "--data", data}));

  StoredData stored(data);
  const std::map<std::string, std::int64_t> rows = {{"pin", 2366}, {"geo", 9075}, {"user", 9075}};
  const std::map<std::string, std::string> columns = {
      {"pin",
       "ind, unique_id, title, description, follower_count, poster_name, tag_list, is_image_or_video, image_src, "
       "save_location, category"},
      {"geo", "ind, country, coordinates, timestamp"},
      {"user", "ind, user_name, age, date_joined"}};
  for (const auto& [kind, count] : rows) {
    SCOPED_TRACE(kind);
    const std::string batch = fmt::format("(SELECT {} FROM {{batch_{}}})", columns.at(kind), kind);
    const std::string stream = fmt::format("(SELECT {} FROM {{pinterest_{}_table}})", columns.at(kind), kind);
    for (const std::string& lane : {batch, stream}) {
      EXPECT_EQ(stored.count("SELECT count(*) FROM " + lane), count);
      EXPECT_EQ(stored.count("SELECT count(DISTINCT ind) FROM " + lane), count);
    }
    EXPECT_EQ(stored.count(fmt::format("SELECT count(*) FROM ({} EXCEPT ALL {})", batch, stream)), 0);
    EXPECT_EQ(stored.count(fmt::format("SELECT count(*) FROM ({} EXCEPT ALL {})", stream, batch)), 0);
  }
  EXPECT_EQ(stored.count("SELECT count(*) FROM {dead_letters}"), 0);
  EXPECT_EQ(stored.count("SELECT count(*) FROM {batch_dead_letters}"), 0);
}

// Values that a door must take (they are JSON) and that no lane can make a row of.
const std::vector<std::string>& broken_values() {
  static const std::vector<std::string> values = {
      R"("just words")", R"([1,2,3])", R"({"title":"no number"})", R"({"index":"index","ind":"ind"})", "17", "null"};
  return values;
}

void post_broken(const RunningPinflow& pinflow) {
  const records::Names names;
  for (const records::Kind kind : records::kKinds) {
    for (const std::string& value : broken_values()) {
      EXPECT_EQ(send(pinflow, "POST", "/topics/" + names.topic(kind), kJson,
                     fmt::format(R"({{"records":[{{"value":{}}}]}})", value))
                    .status,
                200);
      if (value == "null") continue;  // Kinesis has no record without data, so the door refuses it.
      EXPECT_EQ(send(pinflow, "PUT", "/streams/" + names.stream(kind) + "/record", "application/json",
                     fmt::format(R"({{"StreamName":"x","Data":{},"PartitionKey":"k"}})", value))
                    .status,
                200);
    }
  }
}

TEST(PostingTwiceInAnotherOrderWithBrokenRecords, ChangesNoAnswer) {
  const TemporaryFolder folder;
  const std::string once = folder / "once";
  const std::string twice = folder / "twice";
  const std::vector<std::string> source = {"source", "create", "--posts", "1500", "--data", once};
  expect_ok(run_pinflow(source));
  std::filesystem::create_directories(twice);
  std::filesystem::copy_file(once + "/source.duckdb", twice + "/source.duckdb");
  {
    RunningPinflow pinflow(once);
    expect_ok(run_pinflow({"emulate", "--data", once, "--to", "both", "--burst", "--url", pinflow.url()}));
    ASSERT_EQ(pinflow.stop_gracefully(), 0);
  }
  {
    RunningPinflow pinflow(twice);
    for (const char* seed : {"2", "3"}) {
      expect_ok(run_pinflow({"emulate", "--data", twice, "--to", "both", "--burst", "--order", "shuffled", "--seed",
                             seed, "--url", pinflow.url()}));
      post_broken(pinflow);
    }
    ASSERT_EQ(pinflow.stop_gracefully(), 0);
  }
  for (const std::string& data : {once, twice}) expect_ok(run_pinflow({"batch", "run", "--data", data}));

  const Finished expected = run_pinflow({"question", "all", "--format", "csv", "--data", once});
  const Finished answers = run_pinflow({"question", "all", "--format", "csv", "--data", twice});
  expect_ok(expected);
  expect_ok(answers);
  EXPECT_GT(expected.out.size(), 1000U);
  EXPECT_EQ(answers.out, expected.out);

  StoredData stored(twice);
  const auto broken = static_cast<std::int64_t>(2 * 3 * broken_values().size());
  EXPECT_EQ(stored.count("SELECT count(*) FROM {dead_letters}"), broken - 2 * 3);
  EXPECT_EQ(stored.count("SELECT count(*) FROM {batch_dead_letters}"), broken);
  EXPECT_EQ(stored.count("SELECT count(*) FROM {batch_pin}"), 1500);
  // The streamed tables keep every record; the latest of each post are the same rows.
  EXPECT_EQ(stored.count("SELECT count(*) FROM {pinterest_pin_table}"), 3000);
  EXPECT_EQ(stored.count("SELECT count(DISTINCT ind) FROM {pinterest_pin_table}"), 1500);
}

class BadInput : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(BadInput, IsToldWhatWhereAndHowToMend) {
  RunningPinflow pinflow(folder_ / "data", {"--set", "http.max_body=64KiB", "--set", "log.max_record_size=32KiB"});
  const auto malformed = send(pinflow, "POST", "/topics/pinterest.pin", kJson, R"({"records":[{"value":)");
  EXPECT_EQ(malformed.status, 400);
  EXPECT_THAT(malformed.body, HasSubstr("error_code"));
  EXPECT_EQ(send(pinflow, "POST", "/topics/pinterest.pin", "text/plain", "x").status, 415);
  const auto unknown = send(pinflow, "POST", "/topics/pinterest.pni", kJson, R"({"records":[{"value":1}]})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("pinterest.pni"));
  const auto oversized = send(pinflow, "POST", "/topics/pinterest.pin", kJson,
                              R"({"records":[{"value":")" + std::string(100'000, 'x') + R"("}]})");
  EXPECT_EQ(oversized.status, 413);
  const auto no_stream = send(pinflow, "PUT", "/streams/nowhere/record", "application/json",
                              R"({"StreamName":"nowhere","Data":{},"PartitionKey":"k"})");
  EXPECT_EQ(no_stream.status, 400);
  EXPECT_THAT(no_stream.body, HasSubstr("ResourceNotFoundException"));
  // None of them was stored.
  ASSERT_EQ(pinflow.stop_gracefully(), 0);
  EXPECT_TRUE(StoredData(folder_ / "data").topic("pinterest.pin").empty());
}

TEST_F(BadInput, SecondProcessOnTheSameFolderIsRefused) {
  RunningPinflow pinflow(folder_ / "data");
  const Finished second =
      run_pinflow({"up", "--data", folder_ / "data", "--set", "http.port=0", "--set", "kafka.port=0"});
  EXPECT_EQ(second.exit_code, 5);
  EXPECT_THAT(second.err, HasSubstr(std::to_string(pinflow.pid())));
}

TEST_F(BadInput, RolesOfTheirOwnNeedACluster) {
  for (const char* role : {"serve", "sink", "stream"}) {
    const Finished finished = run_pinflow({role, "--data", folder_ / "data", "--set", "http.port=0"});
    EXPECT_EQ(finished.exit_code, 2) << finished.err;
    EXPECT_THAT(finished.err, HasSubstr("`pinflow up` runs all roles")) << role;
    EXPECT_THAT(finished.err, HasSubstr("log.engine = 'kafka'"));
  }
}

TEST_F(BadInput, EmulatorWithoutFrontDoorSaysSoAtOnce) {
  const std::string data = folder_ / "data";
  expect_ok(run_pinflow({"source", "create", "--posts", "10", "--data", data}));
  const Finished finished =
      run_pinflow({"emulate", "--to", "both", "--burst", "--data", data, "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(finished.exit_code, 5);
  EXPECT_THAT(finished.err, HasSubstr("pinflow up"));
}

TEST_F(BadInput, UnknownConfigurationKeyIsRefused) {
  const Finished finished = run_pinflow({"up", "--data", folder_ / "data", "--set", "http.prot=1"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(finished.err, HasSubstr("Did you mean 'http.port'?"));
}

TEST_F(BadInput, TakenPortIsNamed) {
  RunningPinflow pinflow(folder_ / "data");
  const Finished finished =
      run_pinflow({"up", "--data", folder_ / "other", "--set", fmt::format("http.port={}", pinflow.port())});
  EXPECT_EQ(finished.exit_code, 5);
  EXPECT_THAT(finished.err, HasSubstr("http.port"));
}

TEST_F(BadInput, DataFolderThatCannotBeWrittenIsNamed) {
  const Finished finished =
      run_pinflow({"up", "--data", "/sys/pinflow", "--set", "http.port=0", "--set", "kafka.port=0"});
  EXPECT_EQ(finished.exit_code, 5) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("/sys/pinflow"));
}

TEST_F(BadInput, NearlyFullDiskRefusesPostsAndKeepsWhatWasTaken) {
  // More than any disk has: every post is over the reserve.
  RunningPinflow pinflow(folder_ / "data", {"--set", "log.reserved_space=1000000GiB"});
  const auto refused = send(pinflow, "POST", "/topics/pinterest.pin", kJson, R"({"records":[{"value":{"index":1}}]})");
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_TRUE(refused.headers.get("Retry-After"));
  EXPECT_THAT(refused.body, HasSubstr("disk"));
}

TEST(Tokens, AreAskedForMadeAndTakenBackWhileItRuns) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  RunningPinflow pinflow(data, {"--set", "http.authentication=token"});
  const auto url = http::Url::parse(pinflow.url()).value();
  const auto client = http::make_client(url, std::chrono::seconds(10));
  const auto post = [&](const std::string& token) {
    http::Request request;
    request.method = "POST";
    request.target = "/topics/pinterest.pin";
    request.headers.add("Content-Type", kJson);
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    request.body = R"({"records":[{"value":{"index":1}}]})";
    const auto response = client->send(request);
    return response ? response->status : 0;
  };
  EXPECT_EQ(post(""), 401);
  const Finished made = run_pinflow({"tokens", "create", "shop", "--grant", "produce:pinterest.*", "--data", data});
  expect_ok(made);
  const std::string token = made.out.substr(0, made.out.find('\n'));
  EXPECT_EQ(post(token), 200) << "known without a restart";
  EXPECT_THAT(run_pinflow({"tokens", "list", "--data", data}).out, HasSubstr("produce:pinterest.*"));
  expect_ok(run_pinflow({"tokens", "revoke", "shop", "--data", data}));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int status = 200;
  while (status == 200 && std::chrono::steady_clock::now() < deadline) status = post(token);
  EXPECT_EQ(status, 401) << "refused without a restart";
}

TEST(Tokens, OfAnotherScopeAreRefusedInTheFormOfEachDoor) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  RunningPinflow pinflow(data, {"--set", "http.authentication=token"});
  const Finished made = run_pinflow({"tokens", "create", "shop", "--grant", "produce:pinterest.*", "--data", data});
  expect_ok(made);
  const std::string token = made.out.substr(0, made.out.find('\n'));
  const auto client = http::make_client(*http::Url::parse(pinflow.url()), std::chrono::seconds(30));
  const auto ask = [&](std::string method, std::string target, std::string type, std::string body,
                       std::string amz_target = "") {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers.add("Authorization", "Bearer " + token);
    request.headers.add("Content-Type", std::move(type));
    if (!amz_target.empty()) request.headers.add("X-Amz-Target", std::move(amz_target));
    request.body = std::move(body);
    auto response = client->send(request);
    EXPECT_TRUE(response) << (response ? "" : response.error().message);
    return response ? std::move(*response) : http::Response{};
  };
  constexpr const char* kAmazon = "application/x-amz-json-1.1";
  const auto clusters = ask("GET", "/v3/clusters", "application/json", "").body;
  const std::string mark = R"("cluster_id":")";
  const auto at = clusters.find(mark);
  ASSERT_NE(at, std::string::npos) << clusters;
  const auto id = clusters.substr(at + mark.size(), clusters.find('"', at + mark.size()) - at - mark.size());
  const std::string other = "streaming-pinterest-pin";  // There, and not in the token's scope.

  const auto v2 = ask("POST", "/topics/" + other, kJson, R"({"records":[{"value":1}]})");
  EXPECT_EQ(v2.status, 403);
  EXPECT_EQ(v2.headers.get("Content-Type"), "application/vnd.kafka.v2+json");
  EXPECT_THAT(v2.body, HasSubstr(R"({"error_code":40301,"message":")"));

  const auto v3 = ask("POST", fmt::format("/v3/clusters/{}/topics/{}/records", id, other), "application/json", "{}");
  EXPECT_EQ(v3.status, 403);
  EXPECT_EQ(v3.headers.get("Content-Type"), "application/json");
  EXPECT_THAT(v3.body, HasSubstr(R"({"error_code":40301,"message":")"));

  // Kinesis tells of rights with 400.
  const auto kinesis =
      ask("POST", "/", kAmazon, fmt::format(R"({{"StreamName":"{}","Data":"eA==","PartitionKey":"k"}})", other),
          "Kinesis_20131202.PutRecord");
  EXPECT_EQ(kinesis.status, 400);
  EXPECT_EQ(kinesis.headers.get("Content-Type"), kAmazon);
  EXPECT_THAT(kinesis.body, HasSubstr(R"({"__type":"AccessDeniedException","message":"User: )"));

  const auto streams =
      ask("PUT", fmt::format("/streams/{}/record", other), "application/json", R"({"Data":"x","PartitionKey":"k"})");
  EXPECT_EQ(streams.status, 400);
  EXPECT_EQ(streams.headers.get("x-amzn-ErrorType"), "AccessDeniedException");
  EXPECT_THAT(streams.body, HasSubstr(R"({"__type":"AccessDeniedException","message":"User: )"));

  ASSERT_EQ(pinflow.stop_gracefully(), 0);
  EXPECT_TRUE(StoredData(data).topic(other).empty());
}

TEST(Demo, ShowsCountsAnswersAndProfilesAndStartsAnewWhenRunAgain) {
  const TemporaryFolder folder;
  const std::string data = folder / "demo";
  for (int run = 0; run < 2; ++run) {
    const Finished demo = run_pinflow({"demo", "--posts", "300", "--data", data});
    expect_ok(demo);
    EXPECT_EQ(demo.err, "") << "nothing but answers when the output is no terminal";
    EXPECT_THAT(demo.out, HasSubstr("topics   900 records posted, 900 acknowledged"));
    EXPECT_THAT(demo.out, HasSubstr("streams  900 records posted, 900 acknowledged"));
    for (const char* part : {"Records at each stage", "category_by_country", "users_joined_by_year",
                             "most popular profiles", "Where everything lies", "Try next"}) {
      EXPECT_THAT(demo.out, HasSubstr(part));
    }
  }
}

TEST(Demo, LeavesAFolderAloneThatIsNotItsOwn) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "mine/log");
  const Finished demo = run_pinflow({"demo", "--posts", "10", "--data", folder / "mine"});
  EXPECT_EQ(demo.exit_code, 2);
  EXPECT_THAT(demo.err, HasSubstr("--data"));
  EXPECT_TRUE(std::filesystem::exists(folder / "mine/log"));
}

// One that nobody had just now.
std::uint16_t free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

TEST(Doors, TakeNewCertificatesWhenTheyAreTold) {
  const TemporaryFolder folder;
  const std::uint16_t kinesis_port = free_port();
  net::Certificates first;
  first.issue("door");
  net::Certificates second;
  second.issue("door");
  RunningPinflow pinflow(folder / "data", {"--set", "http.tls_certificate=" + first.certificate("door").string(),
                                           "--set", "http.tls_key=" + first.key("door").string(), "--set",
                                           fmt::format("kinesis.port={}", kinesis_port)});
  const auto trusts = [](const net::Certificates& authority, std::uint16_t port) {
    http::Request request;
    request.method = "GET";
    request.target = "/healthz";
    const auto client =
        http::make_client({"127.0.0.1", port, "", true}, std::chrono::seconds(30), authority.certificate("ca"));
    return client->send(request).has_value();
  };
  for (const std::uint16_t port : {pinflow.port(), kinesis_port}) {
    EXPECT_TRUE(trusts(first, port)) << port;
    EXPECT_FALSE(trusts(second, port)) << port;
  }
  std::filesystem::rename(second.certificate("door"), first.certificate("door"));
  std::filesystem::rename(second.key("door"), first.key("door"));
  pinflow.hang_up();
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (const std::uint16_t port : {pinflow.port(), kinesis_port}) {
    while (!trusts(second, port)) ASSERT_LT(std::chrono::steady_clock::now(), last) << port;
    EXPECT_FALSE(trusts(first, port)) << port;
  }
  EXPECT_EQ(pinflow.stop_gracefully(), 0);
}

TEST(CommandLine, HelpOfEachCommandHasExamples) {
  for (const char* command : {"demo", "up", "serve", "sink", "stream", "source", "emulate", "batch", "question", "tap",
                              "tables", "tokens", "config"}) {
    const Finished help = run_pinflow({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr("Example")) << command;
  }
  EXPECT_EQ(run_pinflow({"frobnicate"}).exit_code, 2);
}

TEST(CommandLine, EndsQuietlyWhenWhoeverReadsItHasGone) {
  const TemporaryFolder folder;
  // Much output and little: the little is written at the very end.
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"config", "print"}, {"config", "check", "--data", folder / "data"}}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[0]);
    const Finished finished = run_pinflow_into(ends[1], command);
    EXPECT_EQ(finished.exit_code, 128 + SIGPIPE) << command[0];
    EXPECT_EQ(finished.err, "") << command[0];
  }
}

TEST(CommandLine, SaysWhenItsOutputIsNotComplete) {
  const Finished finished = run_pinflow_into(::open("/dev/full", O_WRONLY | O_CLOEXEC), {"config", "print"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err, HasSubstr("not complete"));
  EXPECT_THAT(finished.err, HasSubstr("No space left"));
}

}  // namespace
}  // namespace pinflow::testing
