#include "access/signature_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/digest.h"
#include "disk/memory_disk.h"

namespace pinflow::access {
namespace {

using aws::format_amz_time;
using aws::sign;
using testing::HasSubstr;

class Verifier : public testing::Test {
 protected:
  Verifier() {
    EXPECT_TRUE(disk_.create_folders("/etc"));
    write(
        "# for the shop\n"
        "AKIDSHOP secret-of-shop shop produce:shop.*,query\n"
        "\n"
        "AKIDTEMP secret-of-temp temp admin session=token-of-temp\n"
        "AKIDSLOW secret-of-slow slow admin requests=1\n");
  }
  void write(std::string_view text) { ASSERT_TRUE(disk_.write_file("/etc/keys", text)); }
  std::unique_ptr<SignatureVerifier> open(bool accept_session_tokens = false) {
    return SignatureVerifier::open({.rules = {.service = "kinesis"}, .accept_session_tokens = accept_session_tokens},
                                   "/etc/keys", disk_, clock_, logger_)
        .value();
  }
  // What a client with this key sends, answered with the caller's name or the fault.
  std::string send(SignatureVerifier& verifier, std::string id, std::string secret, std::string session = {}) {
    const std::string body = R"({"StreamName":"x"})";
    std::vector<std::pair<std::string, std::string>> headers{{"Host", "localhost:8082"},
                                                             {"X-Amz-Target", "Kinesis_20131202.DescribeStream"},
                                                             {"X-Amz-Date", format_amz_time(clock_.now())}};
    if (!session.empty()) headers.emplace_back("X-Amz-Security-Token", session);
    headers.emplace_back("Authorization", sign({"POST", "/", "", headers}, {std::move(id), std::move(secret)},
                                               {format_amz_time(clock_.now()).substr(0, 8), "eu-west-2", "kinesis"},
                                               clock_.now(), to_hex(sha256(body)), PathForm::kNormalized));
    const auto verified = verifier.verify({"POST", "/", "", headers}, body);
    if (!verified) return verified.error().type + ": " + verified.error().message;
    return verified->caller->name() + " " + verified->key_id + " " + verified->region;
  }

  ManualClock clock_;
  disk::MemoryDisk disk_{&clock_};
  NullLogger logger_;
};

TEST_F(Verifier, KnowsWhoSigned) {
  const auto verifier = open();
  EXPECT_EQ(send(*verifier, "AKIDSHOP", "secret-of-shop"), "shop AKIDSHOP eu-west-2");
  EXPECT_THAT(send(*verifier, "AKIDSHOP", "secret-of-temp"),
              HasSubstr("InvalidSignatureException: The request signature we calculated does not match"));
  EXPECT_EQ(send(*verifier, "AKIDNONE", "secret-of-shop"),
            "UnrecognizedClientException: The security token included in the request is invalid.");
}

TEST_F(Verifier, HoldsSessionTokensToTheirKey) {
  const auto verifier = open();
  EXPECT_EQ(send(*verifier, "AKIDTEMP", "secret-of-temp", "token-of-temp"), "temp AKIDTEMP eu-west-2");
  EXPECT_THAT(send(*verifier, "AKIDTEMP", "secret-of-temp"), HasSubstr("UnrecognizedClientException"));
  EXPECT_EQ(send(*verifier, "AKIDTEMP", "secret-of-temp", "older"),
            "ExpiredTokenException: The security token included in the request is expired");
  EXPECT_THAT(send(*verifier, "AKIDSHOP", "secret-of-shop", "any"), HasSubstr("UnrecognizedClientException"));
  EXPECT_EQ(send(*open(true), "AKIDSHOP", "secret-of-shop", "any"), "shop AKIDSHOP eu-west-2");
}

TEST_F(Verifier, TakesChangesOfItsFileWithoutARestart) {
  const auto verifier = open();
  write("AKIDNEW new-secret new query\n");
  EXPECT_EQ(send(*verifier, "AKIDNEW", "new-secret"), "new AKIDNEW eu-west-2");
  EXPECT_THAT(send(*verifier, "AKIDSHOP", "secret-of-shop"), HasSubstr("UnrecognizedClientException"));
  write("AKIDNEW\n");
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(send(*verifier, "AKIDNEW", "new-secret"), "new AKIDNEW eu-west-2");
}

TEST_F(Verifier, ThrottlesKeysWithLimits) {
  const auto verifier = open();
  EXPECT_EQ(send(*verifier, "AKIDSLOW", "secret-of-slow"), "slow AKIDSLOW eu-west-2");
  EXPECT_EQ(send(*verifier, "AKIDSLOW", "secret-of-slow"), "ThrottlingException: Rate exceeded");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(send(*verifier, "AKIDSLOW", "secret-of-slow"), "slow AKIDSLOW eu-west-2");
}

TEST_F(Verifier, TakesNewLimitsFromItsFile) {
  const auto verifier = open();
  EXPECT_EQ(send(*verifier, "AKIDSLOW", "secret-of-slow"), "slow AKIDSLOW eu-west-2");
  write("AKIDSLOW secret-of-slow slow admin requests=2\n");
  clock_.advance(std::chrono::seconds(2));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(send(*verifier, "AKIDSLOW", "secret-of-slow"), "slow AKIDSLOW eu-west-2");
  EXPECT_EQ(send(*verifier, "AKIDSLOW", "secret-of-slow"), "ThrottlingException: Rate exceeded");
}

TEST_F(Verifier, CountsTheBytesOfBodies) {
  write("AKIDBULK secret-of-bulk bulk admin bytes=9\n");
  const auto verifier = open();
  EXPECT_EQ(send(*verifier, "AKIDBULK", "secret-of-bulk"), "bulk AKIDBULK eu-west-2");
  EXPECT_EQ(send(*verifier, "AKIDBULK", "secret-of-bulk"), "ThrottlingException: Rate exceeded");
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(send(*verifier, "AKIDBULK", "secret-of-bulk"), "bulk AKIDBULK eu-west-2");
}

TEST(AccessKeys, NameTheLineThatIsWrongButNoSecret) {
  const auto problem = [](std::string_view text) {
    const auto keys = parse_access_keys(text);
    return keys ? "none" : keys.error().message;
  };
  EXPECT_EQ(problem("# nothing\n\nA S n\n"), "line 3: expected ID SECRET NAME GRANT[,GRANT...]");
  EXPECT_THAT(problem("A hush n all"), HasSubstr("line 1: 'all' is no grant"));
  EXPECT_THAT(problem("A hush n query bytes=0"), HasSubstr("line 1: '0' is not a whole number from 1 on"));
  EXPECT_THAT(problem("A hush n query what=hush"), testing::Not(HasSubstr("hush")));
  EXPECT_EQ(problem("A s n query\r\nA t m query\r\n"), "line 2: the access key 'A' is there twice");
  EXPECT_EQ(problem("A/B s n query\n"), "line 1: an access key's id has no '/'");
  EXPECT_EQ(problem("A\ts\tn\tquery requests=1 bytes=2 records=3 session=x\n"), "none");
}

TEST(CertificateGrants, KeepTheRestOfTheLineAsSubject) {
  const auto grants = parse_certificate_grants("produce:a,query  CN=billing, O=Acme Ltd \nadmin CN=root*\n");
  ASSERT_TRUE(grants);
  EXPECT_EQ(grants->at(0).subject, "CN=billing, O=Acme Ltd");
  EXPECT_EQ(grants->at(0).grants.size(), 2U);
  EXPECT_EQ(grants->at(1).subject, "CN=root*");
  EXPECT_FALSE(parse_certificate_grants("admin\n"));
  EXPECT_EQ(find_certificate(*grants, "CN=root-7"), &grants->at(1));
  EXPECT_EQ(find_certificate(*grants, "CN=billing"), nullptr);
}

}  // namespace
}  // namespace pinflow::access
