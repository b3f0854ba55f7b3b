// Every operation against a real server. PINFLOW_TEST_S3 names its endpoint; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are its keys,
// PINFLOW_TEST_S3_BUCKET a bucket that is there. PINFLOW_TEST_S3_ATOMIC: the server is one on which of several puts of a new name at
// the same moment one wins.
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/curl_http.h"
#include "base/uuid.h"
#include "base/wakeup.h"
#include "disk/real_disk.h"
#include "objects/s3_store.h"

namespace pinflow::objects {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

class S3Server : public testing::Test {
 protected:
  void SetUp() override {
    options_.endpoint = variable("PINFLOW_TEST_S3");
    options_.bucket = variable("PINFLOW_TEST_S3_BUCKET");
    if (options_.endpoint.empty()) GTEST_SKIP() << "PINFLOW_TEST_S3 names no server";
    Random random(entropy_seed());
    options_.prefix = "t/" + Uuid::random(random).to_string();
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow_s3_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    options_.local = folder_;
    store_ = open();
  }
  void TearDown() override {
    store_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<ObjectStore> open() {
    auto store = open_s3_store(
        options_, {*http_, *disk_, clock_, logger_, variable,
                   [](std::chrono::milliseconds time) { Wakeup::wait(time, std::stop_source().get_token()); }});
    EXPECT_TRUE(store.has_value()) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

  std::unique_ptr<aws::HttpTransport> http_ = aws::make_curl_http();
  std::unique_ptr<disk::Disk> disk_ = disk::make_real_disk();
  SystemClock clock_;
  NullLogger logger_;
  S3Options options_;
  std::filesystem::path folder_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(S3Server, TakesEveryOperation) {
  ASSERT_NE(store_, nullptr);
  const std::string odd = "day=2026-11-22 10%3A15/b+c&d=e~f'(g)!\xc3\xa9";
  for (const std::string& name : {std::string("a/1"), std::string("a/2"), odd}) {
    const auto put = store_->put(name, "bytes of " + name);
    ASSERT_TRUE(put.has_value()) << put.error().message;
    EXPECT_EQ(store_->get(name).value(), "bytes of " + name);
    const auto info = store_->describe(name);
    ASSERT_TRUE(info.has_value()) << info.error().message;
    EXPECT_EQ(info->size, 9 + name.size());
    EXPECT_LT(std::chrono::abs(info->modified - clock_.now()), std::chrono::minutes(10));
  }
  const auto listed = store_->list("");
  ASSERT_TRUE(listed.has_value()) << listed.error().message;
  ASSERT_EQ(listed->size(), 3U);
  EXPECT_EQ(listed->at(2).name, odd);
  EXPECT_EQ(store_->list("a/", "a/1")->size(), 1U);
  EXPECT_EQ(store_->list("", "", 2)->size(), 2U);
  EXPECT_TRUE(store_->list("none/")->empty());
  EXPECT_EQ(disk_->read_file(store_->local_copy(odd).value()).value(), "bytes of " + odd);
  EXPECT_EQ(store_->local_copy(odd).value(), store_->local_copy(odd).value());
  EXPECT_TRUE(store_->put(odd, ""));
  EXPECT_EQ(store_->get(odd).value(), "");
  for (const std::string& name : {std::string("a/1"), odd, std::string("never")}) EXPECT_TRUE(store_->remove(name));
  EXPECT_EQ(store_->get("a/1").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->describe("a/1").error().code, ErrorCode::kNotFound);
}

TEST_F(S3Server, TakesFilesInParts) {
  ASSERT_NE(store_, nullptr);
  for (const std::size_t size : {std::size_t{1'000}, std::size_t{33} << 20}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
    const auto path = store_->scratch(".bin").value();
    ASSERT_TRUE(disk_->write_file(path, bytes));
    const auto put = store_->put_file("file.bin", path);
    ASSERT_TRUE(put.has_value()) << put.error().message;
    EXPECT_EQ(store_->describe("file.bin")->size, size);
    const auto other = open();  // Without a local copy.
    EXPECT_TRUE(disk_->read_file(other->local_copy("file.bin").value()).value() == bytes);
  }
}

TEST_F(S3Server, LetsOneOfManyPutANewName) {
  if (variable("PINFLOW_TEST_S3_ATOMIC").empty()) GTEST_SKIP() << "PINFLOW_TEST_S3_ATOMIC is not set";
  ASSERT_NE(store_, nullptr);
  std::vector<std::jthread> threads;
  std::atomic<int> won = 0, lost = 0, other = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto mine = open();
      for (int n = 0; n < 25; ++n) {
        const auto put = mine->put_new(fmt::format("log/{:020}.json", n), fmt::format("writer {}", i));
        ++(put ? won : put.error().code == ErrorCode::kConflict ? lost : other);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(won, 25);
  EXPECT_EQ(lost, 75);
  EXPECT_EQ(other, 0);
}

}  // namespace
}  // namespace pinflow::objects
