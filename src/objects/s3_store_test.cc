#include "objects/s3_store.h"

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/real_disk.h"
#include "objects/internal/s3_client.h"
#include "objects/internal/xml.h"
#include "objects/testing/fake_s3.h"

namespace pinflow::objects {
namespace {

using aws::HttpRequest;
using aws::HttpResponse;
using ::testing::ElementsAre;
using testing::FakeS3;
using ::testing::HasSubstr;

using Fault = FakeS3::Fault;

class S3StoreOn : public ::testing::Test {
 protected:
  S3StoreOn() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow_s3_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    environment_ = {{"AWS_ACCESS_KEY_ID", "key"}, {"AWS_SECRET_ACCESS_KEY", "secret"}};
    options_.bucket = "bucket";
    options_.prefix = "some/place";
    options_.endpoint = "http://store:9000/";
    options_.local = folder_ / "local";
    options_.probe = false;
  }
  ~S3StoreOn() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  S3Context context() {
    return {http_,
            *disk_,
            clock_,
            logger_,
            [this](const char* name) { return environment_[name]; },
            [this](std::chrono::milliseconds time) { pauses_.push_back(time); }};
  }
  ObjectStore& store() {
    if (!store_) {
      options_.probe = true;
      auto opened = open_s3_store(options_, context());
      EXPECT_TRUE(opened.has_value()) << opened.error().message;
      store_ = *std::move(opened);
      http_.calls.clear();
    }
    return *store_;
  }
  disk::Path file(std::string_view bytes) {
    const disk::Path path = store().scratch(".bin").value();
    EXPECT_TRUE(disk_->write_file(path, bytes));
    return path;
  }
  std::vector<std::string> names(const std::string& prefix, const std::string& after = {},
                                 std::size_t limit = SIZE_MAX) {
    const auto listed = store().list(prefix, after, limit);
    EXPECT_TRUE(listed.has_value()) << listed.error().message;
    std::vector<std::string> all;
    if (listed) {
      for (const ObjectInfo& info : *listed) all.push_back(info.name);
    }
    return all;
  }
  ErrorCode code_of_new(std::string_view bytes) {
    const auto put = store().put_new("a", bytes);
    return put ? ErrorCode::kCancelled : put.error().code;  // kCancelled stands for success.
  }
  static constexpr ErrorCode kDone = ErrorCode::kCancelled;
  std::string& object(const std::string& name) { return http_.objects["some/place/" + name]; }

  std::filesystem::path folder_;
  FakeS3 http_;
  std::unique_ptr<disk::Disk> disk_ = disk::make_real_disk();
  ManualClock clock_;
  NullLogger logger_;
  std::map<std::string, std::string> environment_;
  std::vector<std::chrono::milliseconds> pauses_;
  S3Options options_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(S3StoreOn, PutsGetsDescribesAndRemoves) {
  ASSERT_TRUE(store().put("a/day=2026-11-22/b c%", "hello"));
  EXPECT_EQ(object("a/day=2026-11-22/b c%"), "hello");
  EXPECT_EQ(store().get("a/day=2026-11-22/b c%").value(), "hello");
  const auto info = store().describe("a/day=2026-11-22/b c%");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->size, 5U);
  EXPECT_EQ(info->modified, WallTime(std::chrono::seconds(1'700'000'000)));
  EXPECT_TRUE(store().remove("a/day=2026-11-22/b c%"));
  EXPECT_TRUE(store().remove("a/day=2026-11-22/b c%"));
  EXPECT_EQ(store().get("a/day=2026-11-22/b c%").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store().describe("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store().put("../x", "").error().code, ErrorCode::kInvalid);
}

TEST_F(S3StoreOn, IsAskedAtTheStartWhetherItHonoursConditions) {
  store();
  EXPECT_TRUE(http_.objects.empty()) << "the probe is taken away";
  store_.reset();
  http_.honours_conditions = false;
  const auto refused = open_s3_store(options_, context());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("overwrite each other's commits of Delta tables"));
  // Who only reads is not asked; the first commit is.
  options_.probe = false;
  const auto reader = open_s3_store(options_, context());
  ASSERT_TRUE(reader);
  EXPECT_TRUE((*reader)->put("a", "x"));
  EXPECT_EQ((*reader)->put_new("b", "x").error().code, ErrorCode::kInvalid);
}

TEST_F(S3StoreOn, OfTwoWhoPutANewNameTheSecondConflicts) {
  EXPECT_EQ(code_of_new("mine"), kDone);
  EXPECT_EQ(code_of_new("theirs"), ErrorCode::kConflict);
  EXPECT_EQ(object("a"), "mine");
}

TEST_F(S3StoreOn, ALostAnswerToANewNameIsLookedFor) {
  store();
  http_.faults = {Fault::kLostAfter};
  EXPECT_EQ(code_of_new("mine"), kDone);
  EXPECT_EQ(object("a"), "mine");
}

TEST_F(S3StoreOn, ANewNameThatDidNotArriveIsPutAgain) {
  store();
  http_.faults = {Fault::kLostBefore, Fault::kNone, Fault::kServerError};
  EXPECT_EQ(code_of_new("mine"), kDone);
  EXPECT_EQ(object("a"), "mine");
}

TEST_F(S3StoreOn, ANewNameThatSomebodyElseTookMeanwhileIsAConflict) {
  store();
  object("a") = "theirs";
  http_.faults = {Fault::kLostAfter};
  EXPECT_EQ(code_of_new("mine"), ErrorCode::kConflict);
  EXPECT_EQ(object("a"), "theirs");
}

TEST_F(S3StoreOn, ALatePutIsKnownByTheNextOne) {
  store();
  // The answer is lost, the look finds nothing yet, and then the first put arrives before the second.
  http_.faults = {Fault::kLostBefore, Fault::kNone};
  const auto arrive = [this] { object("a") = "mine"; };
  http_.before = [this, arrive] { http_.before = arrive; };
  EXPECT_EQ(code_of_new("mine"), kDone);
}

TEST_F(S3StoreOn, AConflictUnderWayIsTriedAgain) {
  store();
  http_.faults = {Fault::kConflict};
  EXPECT_EQ(code_of_new("mine"), kDone);
  http_.objects.clear();
  http_.faults = {Fault::kConflict};
  http_.before = [this] { object("a") = "theirs"; };
  EXPECT_EQ(code_of_new("mine"), ErrorCode::kConflict);
}

TEST_F(S3StoreOn, ANewNameOfWhichNothingIsHeardIsAnUnknownOutcome) {
  store();
  http_.faults.assign(100, Fault::kLostBefore);
  EXPECT_EQ(code_of_new("mine"), ErrorCode::kUnknownOutcome);
  http_.faults.clear();
  for (int i = 0; i < 4; ++i) http_.faults.insert(http_.faults.end(), {Fault::kLostBefore, Fault::kNone});
  EXPECT_EQ(code_of_new("mine"), ErrorCode::kUnknownOutcome);
}

TEST_F(S3StoreOn, PassingFailuresAreTriedAgainWithLongerPauses) {
  object("a") = "bytes";
  store();
  http_.faults = {Fault::kServerError, Fault::kSlowDown, Fault::kLostBefore, Fault::kTruncated};
  EXPECT_EQ(store().get("a").value(), "bytes");
  ASSERT_EQ(pauses_.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto longest = std::chrono::milliseconds(200) * (1 << i);
    EXPECT_GE(pauses_[i], longest / 2);
    EXPECT_LE(pauses_[i], longest);
  }
  http_.faults.assign(100, Fault::kSlowDown);
  const auto failed = store().get("a");
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("SlowDown: it & that (after 6 tries)"));
}

TEST_F(S3StoreOn, AWrongClockIsPutRightOnce) {
  object("a") = "bytes";
  store();
  http_.faults = {Fault::kSkewed};
  EXPECT_EQ(store().get("a").value(), "bytes");
  EXPECT_TRUE(pauses_.empty());
  const auto date = std::ranges::find(http_.last_headers, "x-amz-date", &std::pair<std::string, std::string>::first);
  EXPECT_EQ(date->second, "20231114T230000Z");
  http_.faults = {Fault::kSkewed, Fault::kSkewed};
  EXPECT_THAT(store().get("a").error().message, HasSubstr("RequestTimeTooSkewed"));
}

TEST_F(S3StoreOn, ExpiredCredentialsAreFetchedAnew) {
  object("a") = "bytes";
  store();
  environment_["AWS_ACCESS_KEY_ID"] = "fresh";
  clock_.advance(std::chrono::minutes(1));
  http_.faults = {Fault::kExpired};
  EXPECT_EQ(store().get("a").value(), "bytes");
  const auto signature =
      std::ranges::find(http_.last_headers, "Authorization", &std::pair<std::string, std::string>::first);
  EXPECT_THAT(signature->second, HasSubstr("Credential=fresh/"));
}

TEST_F(S3StoreOn, ListsByPrefixInPages) {
  for (const char* name : {"a", "b/1", "b/2", "b/3", "b/x&<y", "b/.hidden", "b/", "c"}) object(name) = "12";
  http_.objects["other"] = "x";
  http_.page = 2;
  EXPECT_THAT(names(""), ElementsAre("a", "b/1", "b/2", "b/3", "b/x&<y", "c"));
  EXPECT_THAT(names("b/"), ElementsAre("b/1", "b/2", "b/3", "b/x&<y"));
  EXPECT_THAT(names("b/", "b/1"), ElementsAre("b/2", "b/3", "b/x&<y"));
  EXPECT_THAT(names("b/", "b/1", 2), ElementsAre("b/2", "b/3"));
  EXPECT_THAT(names("none/"), ElementsAre());
  const auto info = store().list("c").value();
  EXPECT_EQ(info[0].size, 2U);
  EXPECT_EQ(info[0].modified, WallTime(std::chrono::milliseconds(1'700'000'000'123)));
}

TEST_F(S3StoreOn, LargeFilesGoUpInParts) {
  const std::string bytes(std::size_t{40} << 20, 'x');
  const disk::Path path = file(bytes);
  http_.faults = {Fault::kNone, Fault::kServerError};
  ASSERT_TRUE(store().put_file("big", path));
  EXPECT_THAT(http_.parts, ElementsAre(std::size_t{16} << 20, std::size_t{16} << 20, std::size_t{8} << 20));
  EXPECT_TRUE(object("big") == bytes);
  EXPECT_TRUE(http_.uploads.empty());
}

TEST_F(S3StoreOn, APartThatFailsGivesTheUploadUp) {
  const disk::Path path = file(std::string(std::size_t{20} << 20, 'x'));
  http_.faults.assign(1, Fault::kNone);
  http_.faults.insert(http_.faults.end(), 6, Fault::kServerError);
  EXPECT_EQ(store().put_file("big", path).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(http_.uploads.empty()) << "parts that nobody sees would be paid for";
  EXPECT_TRUE(disk_->describe(path)) << "the caller still has its file";
}

TEST_F(S3StoreOn, LocalCopiesAreFetchedOnceAndAgainWhenTheObjectChanged) {
  object("a.parquet") = "first version";
  const auto read = [&] { return disk_->read_file(store().local_copy("a.parquet").value()).value(); };
  EXPECT_EQ(read(), "first version");
  const disk::Path path = store().local_copy("a.parquet").value();
  EXPECT_EQ(path.extension(), ".parquet");
  EXPECT_EQ(store().local_copy("a.parquet").value(), path) << "it is the one at hand";
  object("a.parquet") = "second";
  EXPECT_EQ(read(), "second");
  http_.faults = {Fault::kTruncated};
  object("a.parquet") = "third version";
  EXPECT_EQ(read(), "third version");
  EXPECT_EQ(store().local_copy("none").error().code, ErrorCode::kNotFound);
}

TEST_F(S3StoreOn, AFileThatWasPutIsItsOwnLocalCopy) {
  const disk::Path path = file("bytes");
  ASSERT_TRUE(store().put_file("a.bin", path));
  EXPECT_EQ(object("a.bin"), "bytes");
  EXPECT_EQ(store().local_copy("a.bin").value(), path);
  store_.reset();
  EXPECT_FALSE(disk_->describe(path)) << "nothing stays behind";
}

TEST_F(S3StoreOn, TheLocalCopiesAreBounded) {
  options_.cache_size = ByteCount(25);
  for (const char* name : {"a", "b", "c"}) object(name) = "0123456789";
  const disk::Path a = store().local_copy("a").value();
  ASSERT_TRUE(store().local_copy("b"));
  const auto full = store().local_copy("c");
  ASSERT_FALSE(full) << "somebody may be reading the others";
  EXPECT_EQ(full.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(full.error().message, HasSubstr("s3.cache_size"));
  clock_.advance(std::chrono::minutes(11));
  ASSERT_TRUE(store().local_copy("c"));
  EXPECT_FALSE(disk_->describe(a)) << "what was used longest ago goes";
}

TEST_F(S3StoreOn, ThreadsMayShareIt) {
  store();
  std::vector<std::jthread> threads;
  std::atomic<int> won = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        if (store().put_new(fmt::format("n{}", n), std::to_string(i))) ++won;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(won, 20);
}

TEST(S3Address, OfAwsHasTheBucketInTheHost) {
  struct Seen final : aws::HttpTransport {
    Result<HttpResponse> send(const HttpRequest& request) override {
      url = request.url;
      return HttpResponse{200, {}, ""};
    }
    std::string url;
  } seen;
  const auto disk = disk::make_real_disk();
  const ManualClock clock;
  NullLogger logger;
  const S3Context context{seen, *disk, clock, logger, [](const char*) { return std::string("x"); }, [](auto) {}};
  const auto put = [&](S3Options options) {
    options.probe = false;
    EXPECT_TRUE(open_s3_store(options, context).value()->put("k", ""));
    return seen.url;
  };
  EXPECT_EQ(put({.bucket = "b-1", .prefix = "p", .endpoint = {}, .region = "eu-west-1"}),
            "https://b-1.s3.eu-west-1.amazonaws.com/p/k");
  EXPECT_EQ(put({.bucket = "with.dot", .prefix = {}, .endpoint = {}}), "https://s3.us-east-1.amazonaws.com/with.dot/k");
  EXPECT_EQ(put({.bucket = "b-1", .prefix = {}, .endpoint = "http://h:1"}), "http://h:1/b-1/k");
  EXPECT_EQ(put({.bucket = "b-1", .prefix = {}, .endpoint = "http://h:1", .region = "x", .path_style = false}),
            "http://b-1.h:1/k");
  EXPECT_EQ(open_s3_store({.bucket = "b", .prefix = {}, .endpoint = "h:1"}, context).error().code, ErrorCode::kInvalid);
}

TEST(S3Location, IsABucketAndAPrefix) {
  EXPECT_EQ(parse_s3_location("s3://data-1")->bucket, "data-1");
  EXPECT_EQ(parse_s3_location("s3://data-1/a/b/")->prefix, "a/b");
  for (const char* bad : {"s3://", "s3://a", "s3://UPPER/x", "s3://data/../x", "s3:///x"}) {
    EXPECT_FALSE(parse_s3_location(bad)) << bad;
  }
}

TEST(Xml, IsReadOrRefused) {
  const auto root = internal::parse_xml(
      "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- c --><a:r x='1'> <k>b &lt;&#233;&#x1F4CC;&amp;</k><e/>"
      "<k><![CDATA[<raw>]]></k></a:r>\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "r");
  EXPECT_EQ(root->child("k"), "b <\xc3\xa9\xf0\x9f\x93\x8c&");
  EXPECT_EQ(root->children[2].text, "<raw>");
  for (const char* bad :
       {"", "x", "<a>", "<a></b>", "<a>&x;</a>", "<a>&#x110000;</a>", "<a/>x", "<!DOCTYPE a><a/>", "<a",
        "<a><b></a></b>", "<a>&amp</a>", "<a><1><2><3><4><5><6><7><8></8></7></6></5></4></3></2></1></a>"}) {
    EXPECT_FALSE(internal::parse_xml(bad)) << bad;
  }
}

TEST(HttpDate, IsRead) {
  EXPECT_EQ(internal::parse_http_date("Tue, 14 Nov 2023 22:13:20 GMT"), WallTime(std::chrono::seconds(1'700'000'000)));
  for (const char* bad :
       {"", "Tue, 14 Nov 2023 22:13:20 CET", "Tue, 31 Feb 2023 22:13:20 GMT", "Tue, 14 Xyz 2023 22:13:20 GMT"}) {
    EXPECT_FALSE(internal::parse_http_date(bad)) << bad;
  }
}

}  // namespace
}  // namespace pinflow::objects
