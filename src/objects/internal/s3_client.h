#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace pinflow::objects::internal {

// Where a bucket is.
struct S3Address {
  std::string endpoint;  // "https://s3.eu-west-1.amazonaws.com", without a slash at the end.
  std::string bucket;
  std::string region;
  bool path_style = false;  // The bucket stands in the path, not in the name of the host.
};

struct S3Request {
  std::string method;
  std::string key;                                              // Empty: the bucket itself.
  std::vector<std::pair<std::string, std::string>> query = {};  // Not encoded.
  aws::Headers headers = {};
  std::string_view body = {};
  aws::BodySink sink = {};
  std::function<Result<void>()> restart = {};  // Before each further try of a call with a sink: forgets what came.
};

// What S3 says of a failure.
struct S3Fault {
  std::string code;  // "NoSuchKey"; empty where it does not say.
  std::string message;
};
S3Fault read_fault(const aws::HttpResponse& response);

// Signs and sends calls to one bucket. Safe from any thread; calls block. All that is given outlives it.
class S3Client {
 public:
  // Waits between tries: tests count instead.
  using Pause = std::function<void(std::chrono::milliseconds)>;
  S3Client(S3Address address, aws::HttpTransport& http, aws::CredentialSource& credentials, const Clock& clock,
           Random random, Pause pause);

  // Sends until there is an answer that another try would not change: five tries behind the first, 100 ms to 20 s apart at random.
  // Any status below 500 comes back as it is, but for 429 and what a corrected clock or fresh credentials mend.
  // kUnavailable: no such answer. Only for calls that may be carried out twice.
  Result<aws::HttpResponse> call(const S3Request& request);
  // One try, and one more for a clock or credentials that were corrected. kUnavailable: whether it was carried out is not known.
  Result<aws::HttpResponse> call_once(const S3Request& request);
  // Waits before try number `tries` (1: the second).
  void pause(int tries);
  static constexpr int kTries = 6;

  // The error of a status that the caller does not expect. 404: kNotFound; 403: kUnavailable, for a right that is given later mends it.
  Error error_of(const S3Request& request, const aws::HttpResponse& response) const;
  const S3Address& address() const { return address_; }

 private:
  Result<aws::HttpResponse> send(const S3Request& request);
  // Whether the refusal is one that a second try does away with; puts right what is to be put right.
  bool mend(const aws::HttpResponse& response);

  const S3Address address_;
  aws::HttpTransport& http_;
  aws::CredentialSource& credentials_;
  const Clock& clock_;
  const Pause pause_;
  std::mutex mutex_;  // Of what follows.
  Random random_;
  std::chrono::milliseconds skew_{0};  // Of the service's clock before ours.
};

// "Sun, 22 Nov 2026 10:15:00 GMT".
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace pinflow::objects::internal
