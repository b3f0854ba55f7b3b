#include "access/grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/digest.h"

namespace pinflow::access {

using testing::HasSubstr;

TEST(Grants, AreReadAsTheyAreWritten) {
  for (const char* text : {"produce:pinterest.*", "consume:*", "query", "admin", "produce:*-pin", "consume:a.b_c-d"}) {
    const auto grant = parse_grant(text);
    ASSERT_TRUE(grant) << text;
    EXPECT_EQ(to_string(*grant), text);
  }
  const auto several = parse_grants("query,produce:x,consume:y*");
  ASSERT_TRUE(several);
  EXPECT_EQ(to_string(*several), "query,produce:x,consume:y*");
  EXPECT_EQ(several->at(2), (Grant{Right::kConsume, "y*"}));
}

TEST(Grants, RefuseWhatIsNoneAndShowTheForms) {
  for (const char* text : {"", "produce", "produce:", "query:*", "admin:x", "Produce:*", "consume:a b", "write:*",
                           "produce:a/b", "produce:x,", "produces:x"}) {
    const auto grants = parse_grants(text);
    ASSERT_FALSE(grants) << text;
    EXPECT_THAT(grants.error().message, HasSubstr("is no grant: expected 'produce:TOPICS'")) << text;
  }
  EXPECT_FALSE(parse_grant("produce:" + std::string(250, 'a')));
}

TEST(Digest, KnowsTheVectorsOfItsStandards) {
  // FIPS 180-4's example "abc"; RFC 4231, test case 2.
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  // RFC 4648, section 10.
  EXPECT_EQ(to_base32("foobar"), "mzxw6ytboi");
  EXPECT_EQ(to_base32("foob"), "mzxw6yq");
  EXPECT_EQ(to_base32(""), "");
}

TEST(Digest, SecretsCompareByAllTheirBytes) {
  const std::string secret = random_bytes(32);
  EXPECT_TRUE(same_secret(secret, std::string(secret)));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = static_cast<char>(~other[i]);
    EXPECT_FALSE(same_secret(secret, other)) << i;
  }
  EXPECT_FALSE(same_secret(secret, secret.substr(1)));
  EXPECT_FALSE(same_secret(secret, ""));
  EXPECT_NE(random_bytes(32), random_bytes(32));
}

}  // namespace pinflow::access
