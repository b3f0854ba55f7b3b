#include "kafka_cluster/msk_iam.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/signing.h"
#include "base/base64.h"

namespace pinflow::kafka_cluster {
namespace {

using testing::EndsWith;
using testing::StartsWith;

constexpr WallTime kNow{std::chrono::milliseconds(1'700'000'000'000)};  // 2023-11-14T22:13:20Z

std::string url_of(const BearerToken& token) {
  std::string text = token.token;
  EXPECT_EQ(text.find_first_of("+/="), text.npos);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return base64_decode(text).value_or("");
}

TEST(MskIamToken, IsASignedUrlOfTheRegionsBrokers) {
  const BearerToken token = msk_iam_token({{"AKID", "secret"}, "session/+=", std::nullopt}, "eu-west-1", kNow);
  const std::string url = url_of(token);
  EXPECT_THAT(
      url,
      StartsWith(
          "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
          "X-Amz-Credential=AKID%2F20231114%2Feu-west-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20231114T221320Z&"
          "X-Amz-Expires=900&X-Amz-Security-Token=session%2F%2B%3D&X-Amz-SignedHeaders=host&X-Amz-Signature="));
  EXPECT_THAT(url, EndsWith("&User-Agent=pinflow"));
  EXPECT_EQ(token.expires, kNow + std::chrono::minutes(15));
}

// As who checks it does: the canonical request written out, from the URL alone.
TEST(MskIamToken, HasTheSignatureOfItsCanonicalRequest) {
  const std::string url = url_of(msk_iam_token({{"AKID", "secret"}, "", std::nullopt}, "us-east-1", kNow));
  const std::size_t question = url.find('?');
  const std::size_t signature = url.find("&X-Amz-Signature=");
  ASSERT_NE(signature, url.npos);
  const std::string canonical = "GET\n/\n" + url.substr(question + 1, signature - question - 1) +
                                "\nhost:kafka.us-east-1.amazonaws.com\n\nhost\n"
                                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const std::string to_sign = "AWS4-HMAC-SHA256\n20231114T221320Z\n20231114/us-east-1/kafka-cluster/aws4_request\n" +
                              aws::to_hex(aws::sha256(canonical));
  std::string key = "AWS4secret";
  for (const char* const part : {"20231114", "us-east-1", "kafka-cluster", "aws4_request"})
    key = aws::hmac_sha256(key, part);
  EXPECT_EQ(url.substr(signature + 17, 64), aws::to_hex(aws::hmac_sha256(key, to_sign)));
}

TEST(MskIamToken, CountsNoLongerThanItsCredentials) {
  EXPECT_EQ(msk_iam_token({{"a", "b"}, "c", kNow + std::chrono::minutes(3)}, "r", kNow).expires,
            kNow + std::chrono::minutes(3));
}

}  // namespace
}  // namespace pinflow::kafka_cluster
