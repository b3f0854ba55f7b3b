#include "access/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/digest.h"

namespace pinflow::access {
namespace {

using aws::canonical_request;
using aws::kUnsignedPayload;
using aws::parse_amz_time;
using aws::sign;
using aws::signing_key;
using testing::HasSubstr;
using Headers = std::vector<std::pair<std::string, std::string>>;

// Requests, keys and signatures of AWS's published test suite for signature version 4 (as kept in github.com/awslabs/aws-c-auth,
// tests/aws-signing-test-suite/v4; the names are its folders').
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kScope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

struct Vector {
  std::string_view name;
  std::string_view method;
  std::string_view path;
  std::string_view query;
  Headers headers;
  std::string_view signed_headers;
  std::string_view signature;
  std::string_view body{};
};

Headers standard(Headers more = {}) {
  more.emplace_back("Host", "example.amazonaws.com");
  more.emplace_back("X-Amz-Date", "20150830T123600Z");
  return more;
}

std::vector<Vector> header_vectors() {
  return {
      {"get-vanilla", "GET", "/", "", standard(), "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-header-value-trim", "GET", "/", "", standard({{"My-Header1", " value1"}, {"My-Header2", "\"a   b   c\""}}),
       "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-key-duplicate", "GET", "/", "",
       standard({{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}),
       "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-vanilla-query-order-encoded", "GET", "/", "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", standard(),
       "host;x-amz-date", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
      {"get-vanilla-utf8-query", "GET", "/", "\xe1\x88\xb4=bar", standard(), "host;x-amz-date",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-vanilla-empty-query-key", "GET", "/", "Param1=value1", standard(), "host;x-amz-date",
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-utf8", "GET", "/\xe1\x88\xb4", "", standard(), "host;x-amz-date",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-space-normalized", "GET", "/example space/", "", standard(), "host;x-amz-date",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-slash-pointless-dot-normalized", "GET", "/./example", "", standard(), "host;x-amz-date",
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {"get-vanilla-with-session-token", "GET", "/", "",
       standard({{"X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"}}),
       "host;x-amz-date;x-amz-security-token", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
      {"post-x-www-form-urlencoded", "POST", "/", "",
       standard({{"Content-Type", "application/x-www-form-urlencoded"},
                 {"Content-Length", "13"},
                 {"x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}}),
       "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
       "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b", "Param1=value1"},
  };
}

const WallTime kTime = *parse_amz_time("20150830T123600Z");
const SignatureRules kRules{.service = "service"};

class Sigv4 : public testing::Test {
 protected:
  // A request of the suite with the Authorization that its signer sends.
  static Headers with_authorization(const Vector& vector) {
    Headers headers = vector.headers;
    headers.emplace_back("Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}",
                                                      kScope, vector.signed_headers, vector.signature));
    return headers;
  }
  static std::optional<SignatureFault> check(const SignedRequest& request, std::string_view body, WallTime now = kTime,
                                             const SignatureRules& rules = kRules) {
    const auto shown = read_signature(request);
    if (!shown) return shown.error();
    return check_signature(request, *shown, body, kSecret, rules, now);
  }
  static std::optional<SignatureFault> check(const Vector& vector, WallTime now = kTime,
                                             const SignatureRules& rules = kRules) {
    const Headers headers = with_authorization(vector);
    return check({vector.method, vector.path, vector.query, headers}, vector.body, now, rules);
  }
  static Vector vanilla() { return header_vectors().front(); }
  static std::string message(const std::optional<SignatureFault>& fault) {
    return fault ? fault->type + ": " + fault->message : "accepted";
  }
};

TEST_F(Sigv4, TakesEverySignatureOfThePublishedSuite) {
  for (const Vector& vector : header_vectors()) EXPECT_EQ(message(check(vector)), "accepted") << vector.name;
}

TEST_F(Sigv4, SignsAsThePublishedSuiteDoes) {
  for (const Vector& vector : header_vectors()) {
    const std::string signature =
        sign({vector.method, vector.path, vector.query, vector.headers}, {"AKIDEXAMPLE", std::string(kSecret)},
             {"20150830", "us-east-1", "service"}, kTime, to_hex(sha256(vector.body)), PathForm::kNormalized);
    EXPECT_EQ(signature, fmt::format("AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature={}", kScope,
                                     vector.signed_headers, vector.signature))
        << vector.name;
  }
}

TEST_F(Sigv4, DerivesTheKeyOfThePublishedExample) {
  // docs.aws.amazon.com, "Examples of how to derive a signing key".
  EXPECT_EQ(to_hex(signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {"20150830", "us-east-1", "iam"})),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST_F(Sigv4, SignsForS3WithThePathAsSent) {
  // docs.aws.amazon.com, AmazonS3 API reference, "GET Object" of the examples for the Authorization header.
  const std::string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const Headers headers{{"Host", "examplebucket.s3.amazonaws.com"},
                        {"Range", "bytes=0-9"},
                        {"x-amz-content-sha256", empty},
                        {"x-amz-date", "20130524T000000Z"}};
  EXPECT_THAT(
      sign({"GET", "/test.txt", "", headers}, {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
           {"20130524", "us-east-1", "s3"}, *parse_amz_time("20130524T000000Z"), empty, PathForm::kAsSent),
      HasSubstr("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
  EXPECT_THAT(canonical_request({"GET", "/a//b%20c/../d", "", headers}, {}, empty, PathForm::kAsSent),
              HasSubstr("GET\n/a//b%20c/../d\n"));
  EXPECT_THAT(canonical_request({"GET", "/a//b%20c/../d", "", headers}, {}, empty, PathForm::kNormalized),
              HasSubstr("GET\n/a/d\n"));
  EXPECT_THAT(canonical_request({"GET", "/b%20c", "", headers}, {}, empty, PathForm::kNormalized),
              HasSubstr("GET\n/b%2520c\n"));
}

TEST_F(Sigv4, TakesAPresignedRequestOfThePublishedSuite) {
  const Headers headers = standard();
  const SignedRequest request{
      "GET", "/",
      "Param2=value2&Param1=value1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2F"
      "us-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&"
      "X-Amz-Signature=86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
      headers};
  EXPECT_EQ(message(check(request, "")), "accepted");
  EXPECT_EQ(message(check(request, "", kTime + std::chrono::seconds(3600))), "accepted");
  EXPECT_EQ(message(check(request, "", kTime + std::chrono::seconds(3601))),
            "InvalidSignatureException: Signature expired: 20150830T133600Z is now earlier than 20150830T133601Z "
            "(X-Amz-Date + 3600 s)");
  EXPECT_THAT(message(check(request, "other body")), HasSubstr("does not match the signature you provided"));
}

TEST_F(Sigv4, HoldsPresignedRequestsToAWeek) {
  const auto with = [](std::string_view expires) {
    const std::string query = fmt::format(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2F"
        "aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires={}&X-Amz-Signature=00",
        expires);
    const Headers headers = standard();
    return message(check({"GET", "/", query, headers}, ""));
  };
  EXPECT_THAT(with("604800"), HasSubstr("does not match the signature you provided"));
  for (const auto* const expires : {"604801", "-1", "x", "", "1.5", "99999999999999999999"})
    EXPECT_EQ(with(expires),
              fmt::format("IncompleteSignatureException: X-Amz-Expires must be a number of seconds, at most a week "
                          "(604800). Got '{}'.",
                          expires));
}

TEST_F(Sigv4, RefusesWhatWasChangedAfterSigning) {
  const auto refused = [](const Vector& vector) {
    return message(check(vector)) ==
           "InvalidSignatureException: The request signature we calculated does not match the signature you provided. "
           "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
  };
  Vector vector = vanilla();
  vector.method = "PUT";
  EXPECT_TRUE(refused(vector));
  vector = vanilla();
  vector.path = "/other";
  EXPECT_TRUE(refused(vector));
  vector = vanilla();
  vector.query = "a=b";
  EXPECT_TRUE(refused(vector));
  vector = vanilla();
  vector.body = "x";
  EXPECT_TRUE(refused(vector));
  vector = vanilla();
  vector.headers = {{"Host", "other.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
  EXPECT_TRUE(refused(vector));
  vector = vanilla();
  vector.headers.back().second = "20150830T123601Z";
  EXPECT_TRUE(refused(vector));
  const std::string last_digit_off(vanilla().signature.substr(0, 63));
  vector = vanilla();
  const std::string other = last_digit_off + "0";
  vector.signature = other;
  EXPECT_TRUE(refused(vector));
}

TEST_F(Sigv4, HoldsTimesToFiveMinutesEitherWay) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_EQ(message(check(vanilla(), kTime + minutes(5))), "accepted");
  EXPECT_EQ(message(check(vanilla(), kTime - minutes(5))), "accepted");
  EXPECT_EQ(message(check(vanilla(), kTime + minutes(5) + seconds(1))),
            "InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
            "(20150830T124101Z - 5 min.)");
  EXPECT_EQ(message(check(vanilla(), kTime - minutes(5) - seconds(1))),
            "InvalidSignatureException: Signature not yet current: 20150830T123600Z is still later than "
            "20150830T123559Z (20150830T123059Z + 5 min.)");
}

TEST_F(Sigv4, HoldsTheScopeToItsServiceDayAndTerminator) {
  EXPECT_EQ(message(check(vanilla(), kTime, {.service = "kinesis"})),
            "InvalidSignatureException: Credential should be scoped to correct service: 'kinesis'. ");
  const auto with_scope = [](std::string_view scope) {
    Headers headers = standard();
    headers.emplace_back(
        "Authorization",
        fmt::format("AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host;x-amz-date, Signature=00", scope));
    return message(check({"GET", "/", "", headers}, ""));
  };
  EXPECT_EQ(with_scope("AKIDEXAMPLE/20150829/us-east-1/service/aws4_request"),
            "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
            "from HTTP: '20150829' != '20150830', from '20150830T123600Z'.");
  EXPECT_EQ(with_scope("AKIDEXAMPLE/20150830/us-east-1/service/aws5_request"),
            "InvalidSignatureException: Credential should be scoped with a valid terminator: 'aws4_request', not "
            "'aws5_request'. ");
  EXPECT_EQ(with_scope("AKIDEXAMPLE/20150830/us-east-1"),
            "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1'");
}

TEST_F(Sigv4, WantsTheHeadersSignedThatMakeTheRequestWhatItIs) {
  const auto with_signed = [](std::string_view names, Headers headers) {
    headers.emplace_back("Authorization",
                         fmt::format("AWS4-HMAC-SHA256 Credential={},SignedHeaders={},Signature=00", kScope, names));
    return message(check({"POST", "/", "", headers}, ""));
  };
  EXPECT_THAT(with_signed("x-amz-date", standard()), HasSubstr("'Host' or ':authority' must be a 'SignedHeader'"));
  EXPECT_THAT(with_signed("host", standard()), HasSubstr("'X-Amz-Date' must be a 'SignedHeader'"));
  EXPECT_THAT(with_signed("host", {{"Host", "a"}, {"Date", "20150830T123600Z"}}),
              HasSubstr("'X-Amz-Date' must be a 'SignedHeader'"));
  EXPECT_THAT(with_signed("host;x-amz-date", standard({{"X-Amz-Target", "Kinesis_20131202.PutRecord"}})),
              HasSubstr("'X-Amz-Target' must be a 'SignedHeader'"));
  EXPECT_THAT(with_signed("host;x-amz-date;x-amz-target", standard({{"X-Amz-Target", "Kinesis_20131202.PutRecord"}})),
              HasSubstr("does not match the signature"));
  EXPECT_THAT(with_signed("Host;x-amz-date", standard()), HasSubstr("IncompleteSignatureException"));
}

TEST_F(Sigv4, TellsWhatTheHeaderLacksAsKinesisDoes) {
  const auto with = [](std::string authorization, bool date) {
    Headers headers{{"Host", "a"}};
    if (date) headers.emplace_back("X-Amz-Date", "20150830T123600Z");
    headers.emplace_back("Authorization", std::move(authorization));
    return message(missing_in_signature({"POST", "/", "", headers}));
  };
  EXPECT_EQ(with("AWS4-HMAC-SHA256 SignedHeaders=host", false),
            "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization header "
            "requires 'Signature' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a "
            "'Date' header. Authorization=AWS4-HMAC-SHA256 SignedHeaders=host");
  EXPECT_EQ(with("AWS4-HMAC-SHA256 Credential=a,Signature=b,SignedHeaders=c", true), "accepted");
  EXPECT_EQ(with("AWS4-HMAC-SHA256 Credential=a, Signature=b", true),
            "IncompleteSignatureException: Authorization header requires 'SignedHeaders' parameter. "
            "Authorization=AWS4-HMAC-SHA256 Credential=a, Signature=b");
  EXPECT_EQ(message(missing_in_signature({"POST", "/", "", {}})),
            "MissingAuthenticationTokenException: Missing Authentication Token");
  const Headers bearer{{"Authorization", "Bearer x"}, {"X-Amz-Date", "20150830T123600Z"}};
  EXPECT_THAT(message(missing_in_signature({"POST", "/", "", bearer})), HasSubstr("requires 'Credential' parameter"));
}

TEST_F(Sigv4, TellsWhatTheQueryLacksAsKinesisDoes) {
  EXPECT_EQ(
      message(missing_in_signature({"POST", "/", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=x", {}})),
      "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string "
      "parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
      "Re-examine the query-string parameters.");
  const Headers both{{"Authorization", "AWS4-HMAC-SHA256 Credential=a"}};
  EXPECT_EQ(message(missing_in_signature({"POST", "/", "X-Amz-Algorithm=", both})),
            "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as "
            "HTTP header.");
}

TEST_F(Sigv4, RefusesTimesAndAlgorithmsThatAreNone) {
  for (const char* date : {"2015-08-30T12:36:00Z", "20150230T123600Z", "20150830T243600Z", "20150830T126000Z",
                           "20150830T123660Z", "x", "2015083OT123600Z", "20150830T123600"}) {
    Headers headers{{"Host", "a"}, {"X-Amz-Date", date}};
    headers.emplace_back("Authorization",
                         fmt::format("AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=00", kScope));
    EXPECT_EQ(message(check({"GET", "/", "", headers}, "")),
              fmt::format("IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got '{}'. See "
                          "http://en.wikipedia.org/wiki/ISO_8601",
                          date));
  }
  Headers headers = standard();
  headers.emplace_back("Authorization", fmt::format("AWS4-ECDSA-P256-SHA256 Credential={}, SignedHeaders=host, "
                                                    "Signature=00",
                                                    kScope));
  EXPECT_THAT(message(check({"GET", "/", "", headers}, "")), HasSubstr("Unsupported AWS 'algorithm'"));
}

TEST_F(Sigv4, BodiesAreSignedUnlessTheRulesSayOtherwise) {
  const auto signed_as = [](std::string_view payload, std::string_view body, const SignatureRules& rules) {
    Headers headers = standard({{"x-amz-content-sha256", std::string(payload)}});
    headers.emplace_back("Authorization",
                         sign({"POST", "/", "", headers}, {"AKIDEXAMPLE", std::string(kSecret)},
                              {"20150830", "us-east-1", "service"}, kTime, payload, PathForm::kNormalized));
    return message(check({"POST", "/", "", headers}, body, kTime, rules));
  };
  SignatureRules lenient = kRules;
  lenient.allow_unsigned_payload = true;
  EXPECT_EQ(signed_as(to_hex(sha256("body")), "body", kRules), "accepted");
  EXPECT_THAT(signed_as(to_hex(sha256("body")), "other", kRules), HasSubstr("does not match the SHA-256 of the body"));
  EXPECT_THAT(signed_as(kUnsignedPayload, "body", kRules), HasSubstr("The body must be signed"));
  EXPECT_EQ(signed_as(kUnsignedPayload, "body", lenient), "accepted");
  EXPECT_THAT(signed_as("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "body", lenient),
              HasSubstr("does not match the SHA-256"));
}

// As the AWS SDK for JavaScript signs over HTTP/2, whose :authority servers hand on as Host.
TEST_F(Sigv4, TakesTheAuthorityOfHttp2ForTheHost) {
  const auto check_at = [](std::string_view host) {
    const Headers of_client{{":authority", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
    Headers headers{{"Host", std::string(host)}, {"X-Amz-Date", "20150830T123600Z"}};
    headers.emplace_back("Authorization",
                         sign({"POST", "/", "", of_client}, {"AKIDEXAMPLE", std::string(kSecret)},
                              {"20150830", "us-east-1", "service"}, kTime, to_hex(sha256("")), PathForm::kNormalized));
    return message(check({"POST", "/", "", headers}, ""));
  };
  EXPECT_EQ(check_at("example.amazonaws.com"), "accepted");
  EXPECT_THAT(check_at("other.amazonaws.com"), HasSubstr("InvalidSignatureException"));
}

TEST_F(Sigv4, ManySignedHeadersAreNoWayToBurnTime) {
  std::string names = "host";
  for (int i = 0; i < 8000; ++i) names += ";a";
  Headers headers = standard();
  headers.emplace_back("Authorization",
                       fmt::format("AWS4-HMAC-SHA256 Credential={}, SignedHeaders={}, Signature=00", kScope, names));
  EXPECT_THAT(message(check({"GET", "/", "", headers}, "")), HasSubstr("at most 100 names"));
}

}  // namespace
}  // namespace pinflow::access
