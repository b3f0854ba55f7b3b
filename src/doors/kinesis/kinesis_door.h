#pragma once

#include <string>

#include "access/signature_verifier.h"
#include "base/random.h"
#include "doors/kinesis/protocol.h"
#include "http/server.h"

namespace pinflow::doors::kinesis {

struct KinesisDoorOptions {
  std::string account = "000000000000";           // Of callers whose access key does not say.
  std::string region = "us-east-1";               // Of calls whose signature does not say.
  bool cors = true;                               // Answers browsers of any origin, as AWS does.
  access::SignatureVerifier* verifier = nullptr;  // Null: a signature must be there, but nobody checks it.
};

// The protocol of Kinesis over HTTP: which operation a request asks for, in which encoding, whether its input is what the operation takes, and all
// that is answered before an operation runs, in the order and words of AWS. It looks at neither path nor port, so it can serve a port of its
// own; on a port with other doors is_kinesis() says which requests are its.
// On one network loop. `operations` and the verifier must outlive it, and it the server. Answers in flight hold values only.
// Bodies end at 14 MiB: ten of data in base64, and what is around them.
class KinesisDoor final : public http::Handler {
 public:
  KinesisDoor(Operations& operations, Random random, KinesisDoorOptions options);

  // Whether a request to a port that other doors share is meant for Kinesis: a POST to / that names an operation or is signed or encoded
  // as AWS's clients do, or the question of a browser before it.
  static bool is_kinesis(const http::Request& head);

  http::Admission admit(http::Request& head) override;
  void handle(http::Request request, http::Responder respond) override;

 private:
  void call(http::Request request, http::Responder respond, http::Headers headers);
  http::Headers answer_headers(const http::Request& request);

  Operations& operations_;
  Random random_;
  const KinesisDoorOptions options_;
};

}  // namespace pinflow::doors::kinesis
