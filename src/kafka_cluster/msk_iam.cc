#include "kafka_cluster/msk_iam.h"

#include <algorithm>
#include <array>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/signing.h"
#include "base/base64.h"

namespace pinflow::kafka_cluster {
namespace {

constexpr std::chrono::minutes kLife{15};  // The longest that the service takes.

std::string base64url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

}  // namespace

BearerToken msk_iam_token(const aws::Credentials& credentials, const std::string& region, WallTime now) {
  const std::string host = fmt::format("kafka.{}.amazonaws.com", region);
  const std::string time = aws::format_amz_time(now);
  const aws::SigningScope scope{time.substr(0, 8), region, "kafka-cluster"};
  aws::Parameters parameters = {{"Action", "kafka-cluster:Connect"},
                                {"X-Amz-Algorithm", std::string(aws::kAlgorithm)},
                                {"X-Amz-Credential", fmt::format("{}/{}/{}/{}/{}", credentials.key.id, scope.date,
                                                                 region, scope.service, aws::kTerminator)},
                                {"X-Amz-Date", time},
                                {"X-Amz-Expires", std::to_string(std::chrono::seconds(kLife).count())},
                                {"X-Amz-SignedHeaders", "host"}};
  if (!credentials.session_token.empty()) parameters.emplace_back("X-Amz-Security-Token", credentials.session_token);
  const std::string query = aws::canonical_query(parameters);
  const std::array<std::pair<std::string, std::string>, 1> headers = {{{"host", host}}};
  const std::array<std::string, 1> signed_headers = {"host"};
  const std::string canonical = aws::canonical_request({"GET", "/", query, headers}, signed_headers,
                                                       aws::to_hex(aws::sha256("")), aws::PathForm::kNormalized);
  const std::string signature =
      aws::sigv4_signature(aws::signing_key(credentials.key.secret, scope), now, scope, canonical);
  BearerToken token;
  // Who asks is told after the signature, which does not cover it.
  token.token = base64url(fmt::format("https://{}/?{}&X-Amz-Signature={}&User-Agent=pinflow", host, query, signature));
  token.principal = credentials.key.id;
  token.expires = now + kLife;
  if (credentials.expires) token.expires = std::min(token.expires, *credentials.expires);
  return token;
}

TokenSource msk_iam_tokens(aws::CredentialSource& credentials, std::string region, const Clock& clock) {
  return [&credentials, region = std::move(region), &clock]() -> Result<BearerToken> {
    TRY_ASSIGN(const aws::Credentials found, credentials.get());
    return msk_iam_token(found, region, clock.now());
  };
}

}  // namespace pinflow::kafka_cluster
