#include "access/token_store.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/allowance.h"
#include "access/digest.h"
#include "access/grants.h"
#include "access/token_file.h"
#include "disk/memory_disk.h"
#include "disk/real_disk.h"

namespace pinflow::access {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class Tokens : public testing::Test {
 protected:
  std::unique_ptr<TokenStore> open() { return TokenStore::open("/state/access", disk_, clock_, logger_).value(); }
  static NewToken wanted(std::string name, std::string_view grants) {
    return {.name = std::move(name), .grants = parse_grants(grants).value()};
  }
  std::string file() { return disk_.read_file("/state/access/tokens.json").value(); }

  ManualClock clock_;
  disk::MemoryDisk disk_{&clock_};
  NullLogger logger_;
};

TEST_F(Tokens, AreKnownByTheirTextAndMayWhatTheyWereMadeFor) {
  const auto store = open();
  const auto issued = store->create(wanted("shop", "produce:shop.*,query"));
  ASSERT_TRUE(issued) << issued.error().message;
  EXPECT_THAT(issued->text, testing::MatchesRegex("pft_[a-z2-7]{8}_[a-z2-7]{52}"));
  const auto caller = store->find(issued->text);
  ASSERT_TRUE(caller);
  EXPECT_EQ((*caller)->name(), "shop");
  EXPECT_TRUE((*caller)->may(Right::kProduce, "shop.orders"));
  EXPECT_FALSE((*caller)->may(Right::kProduce, "other"));
  EXPECT_FALSE((*caller)->may(Right::kAdmin));
  EXPECT_FALSE((*caller)->is_anonymous());
}

TEST_F(Tokens, LeaveNothingOnDiskThatCouldBeShown) {
  const auto issued = open()->create(wanted("shop", "admin")).value();
  const std::string secret = issued.text.substr(issued.text.rfind('_') + 1);
  EXPECT_THAT(file(), Not(HasSubstr(secret)));
  EXPECT_THAT(file(), HasSubstr(to_hex(sha256(issued.text))));
}

TEST_F(Tokens, AreRefusedIfASingleLetterDiffers) {
  const auto store = open();
  const std::string text = store->create(wanted("shop", "admin")).value().text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'a' ? 'b' : 'a';
    EXPECT_EQ(store->find(other).error(), TokenRefusal::kUnknown) << i;
  }
  EXPECT_FALSE(store->find(text.substr(0, text.size() - 1)));
  EXPECT_FALSE(store->find(text + "a"));
  EXPECT_FALSE(store->find(""));
  EXPECT_FALSE(store->find("pft_"));
}

TEST_F(Tokens, EndWhenTheyExpire) {
  const auto store = open();
  NewToken brief = wanted("brief", "query");
  brief.expires = clock_.now() + seconds(60);
  const auto issued = store->create(brief).value();
  clock_.advance(seconds(60) - std::chrono::milliseconds(1));
  EXPECT_TRUE(store->find(issued.text));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(store->find(issued.text).error(), TokenRefusal::kExpired);
  EXPECT_EQ(store->find(issued.text + "x").error(), TokenRefusal::kUnknown);
}

TEST_F(Tokens, MadeByAnotherProcessWorkAtOnceAndRevokedOnesEndWithinASecond) {
  const auto server = open();
  const auto tool = open();
  const auto issued = tool->create(wanted("late", "query")).value();
  EXPECT_TRUE(server->find(issued.text));
  ASSERT_TRUE(tool->revoke("late"));
  clock_.advance(seconds(1));
  EXPECT_EQ(server->find(issued.text).error(), TokenRefusal::kUnknown);
}

TEST_F(Tokens, AreLookedForInTheFileOnceASecondAtMostUnlessTheyAreUnknown) {
  const auto server = open();
  const auto tool = open();
  const auto issued = tool->create(wanted("one", "query")).value();
  ASSERT_TRUE(server->find(issued.text));
  const auto looks = disk_.count();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(server->find(issued.text));
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(server->find("pft_aaaaaaaa_" + std::string(52, 'a'), false));
  EXPECT_EQ(disk_.count(), looks);
  ASSERT_TRUE(tool->revoke("one"));
  EXPECT_TRUE(server->find(issued.text));
  ASSERT_TRUE(server->reload());
  EXPECT_FALSE(server->find(issued.text));
}

TEST_F(Tokens, CanBeThePasswordTheUserOrTheSecretOfANamedUser) {
  const auto store = open();
  const auto issued = store->create(wanted("shop", "query")).value();
  const std::string secret = issued.text.substr(issued.text.rfind('_') + 1);
  EXPECT_TRUE(store->find_basic("whoever", issued.text));
  EXPECT_TRUE(store->find_basic(issued.text, ""));
  EXPECT_TRUE(store->find_basic("shop", secret));
  EXPECT_TRUE(store->find_basic(issued.token.id, secret));
  EXPECT_FALSE(store->find_basic("shop", secret + "x"));
  EXPECT_FALSE(store->find_basic("other", secret));
  EXPECT_FALSE(store->find_basic("shop", ""));
  EXPECT_EQ(store->claimed_id("shop"), issued.token.id);
  EXPECT_EQ(store->claimed_id("pft_" + issued.token.id + "_x"), issued.token.id);
  EXPECT_EQ(store->claimed_id("nobody"), "");
}

TEST_F(Tokens, SurviveARestartWithAllThatIsKnownOfThem) {
  NewToken full = wanted("full", "produce:a*,consume:b,query,admin");
  full.expires = clock_.now() + std::chrono::hours(1);
  full.limits = {.requests = 10, .bytes = 20, .records = 30};
  const auto issued = open()->create(full).value();
  const auto again = open()->list().value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0], issued.token);
}

TEST_F(Tokens, KeepWhatIsLeftOfTheirLimitsWhenTheFileIsReadAgain) {
  const auto store = open();
  NewToken limited = wanted("limited", "query");
  limited.limits.requests = 1;
  const auto issued = store->create(limited).value();
  EXPECT_FALSE(store->find(issued.text).value()->allowance()->admit());
  ASSERT_TRUE(store->create(wanted("other", "query")));
  EXPECT_TRUE(store->find(issued.text).value()->allowance()->admit());
}

TEST_F(Tokens, TakeNewLimitsFromTheirFile) {
  const auto store = open();
  NewToken limited = wanted("limited", "query");
  limited.limits.requests = 1;
  const auto issued = store->create(limited).value();
  EXPECT_FALSE(store->find(issued.text).value()->allowance()->admit());
  auto tokens = store->list().value();
  tokens.at(0).limits.requests = 2;
  ASSERT_TRUE(disk_.write_file("/state/access/tokens.json", write_tokens(tokens)));
  ASSERT_TRUE(store->reload());
  EXPECT_FALSE(store->find(issued.text).value()->allowance()->admit());
  EXPECT_FALSE(store->find(issued.text).value()->allowance()->admit());
  EXPECT_TRUE(store->find(issued.text).value()->allowance()->admit());
}

TEST_F(Tokens, NeedANameOfTheirOwnAndAGrant) {
  const auto store = open();
  ASSERT_TRUE(store->create(wanted("shop", "query")));
  EXPECT_EQ(store->create(wanted("shop", "query")).error().code, ErrorCode::kConflict);
  EXPECT_THAT(store->create({.name = "none", .grants = {}}).error().message, HasSubstr("good for nothing"));
  EXPECT_EQ(store->create(wanted("a/b", "query")).error().code, ErrorCode::kInvalid);
  const auto missing = store->revoke("shob");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("Did you mean 'shop'?"));
}

TEST_F(Tokens, StayAsTheyWereWhenTheirFileIsDamaged) {
  const auto store = open();
  const auto issued = store->create(wanted("shop", "query")).value();
  ASSERT_TRUE(disk_.write_file("/state/access/tokens.json", "{\"format\":1,\"tok"));
  clock_.advance(seconds(2));
  EXPECT_TRUE(store->find(issued.text));
  const auto fresh = TokenStore::open("/state/access", disk_, clock_, logger_);
  ASSERT_FALSE(fresh);
  EXPECT_THAT(fresh.error().message, HasSubstr("tokens.json is not a file of tokens: not JSON"));
  EXPECT_FALSE(store->create(wanted("more", "query"))) << "would have overwritten what can be mended";
}

TEST_F(Tokens, OfTheDocumentedFileAreReadAndWrittenAsItSays) {
  const std::string text =
      R"({"format":1,"tokens":[{"id":"k3x7q2ma","name":"shop",)"
      R"("sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",)"
      R"("grants":["produce:shop.*","query"],"created":1700000000000,"expires":1700000060000,"requests_per_second":100}]})"
      "\n";
  const auto tokens = parse_tokens(text);
  ASSERT_TRUE(tokens) << tokens.error().message;
  EXPECT_EQ(tokens->at(0).sha256, sha256("abc"));
  EXPECT_EQ(tokens->at(0).limits.requests, 100U);
  EXPECT_EQ(write_tokens(*tokens), text);
}

TEST(TokenFile, DamageIsToldWithItsPlace) {
  const auto problem = [](std::string_view text) {
    const auto tokens = parse_tokens(text);
    return tokens ? "none" : tokens.error().message;
  };
  EXPECT_THAT(problem(""), HasSubstr("not JSON"));
  EXPECT_EQ(problem("[]"), "'format' is missing");
  EXPECT_EQ(problem(R"({"format":2,"tokens":[]})"), "of format 2, which this pinflow does not know");
  EXPECT_EQ(problem(R"({"format":1})"), "'tokens' is not a list");
  EXPECT_EQ(problem(R"({"format":1,"tokens":[7]})"), "token 1: 'id' is not a text");
  EXPECT_EQ(problem(R"({"format":1,"tokens":[{"id":"a","name":"b","sha256":"00"}]})"),
            "token 1: 'sha256' is not 64 hexadecimal digits in lower case");
  const std::string start = R"({"format":1,"tokens":[{"id":"a","name":"b","sha256":")" + std::string(64, '0') + "\",";
  EXPECT_THAT(problem(start + R"("grants":["all"],"created":1}]})"), HasSubstr("token 1: 'all' is no grant"));
  EXPECT_EQ(problem(start + R"("grants":[],"created":-1}]})"), "token 1: 'created' is not a whole number that can be");
  EXPECT_EQ(problem(start + R"("grants":[],"created":1}]})"), "none");
}

TEST(TokenFiles, AreTheirOwnersAloneOnARealDisk) {
  using std::filesystem::perms;
  std::string folder = (std::filesystem::temp_directory_path() / "pinflow-tokens-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto disk = disk::make_real_disk();
  const SystemClock clock;
  NullLogger logger;
  const auto store = TokenStore::open(folder + "/state/access", *disk, clock, logger).value();
  for (const char* name : {"a", "b"}) {
    ASSERT_TRUE(store->create({.name = name, .grants = {{Right::kQuery, "*"}}}));
    EXPECT_EQ(std::filesystem::status(store->file()).permissions(), perms::owner_read | perms::owner_write);
  }
  EXPECT_EQ(std::filesystem::status(folder + "/state/access").permissions(), perms::owner_all);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace pinflow::access
