#pragma once

#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "kafka_cluster/kafka_log.h"

namespace pinflow::kafka_cluster {

// The token of AWS_MSK_IAM over SASL OAUTHBEARER: a URL of kafka.<region>.amazonaws.com that allows kafka-cluster:Connect, signed in its query
// (Signature Version 4), in base64url without padding. Counts for 15 minutes, and no longer than the credentials do. Pure.
BearerToken msk_iam_token(const aws::Credentials& credentials, const std::string& region, WallTime now);

// Tokens of those credentials. Both must outlive the source.
TokenSource msk_iam_tokens(aws::CredentialSource& credentials, std::string region, const Clock& clock);

}  // namespace pinflow::kafka_cluster
