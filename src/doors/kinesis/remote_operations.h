#pragma once

#include "aws/service_client.h"
#include "base/logger.h"
#include "doors/kinesis/job_pool.h"
#include "doors/kinesis/protocol.h"

namespace pinflow::doors::kinesis {

struct RemoteOptions {
  std::size_t threads = 16;         // Calls under way at the same time.
  std::size_t waiting_calls = 256;  // Past it calls are answered 503.
};

// The operations of Kinesis by passing each call on to a service that speaks Kinesis, signed with our own credentials: the door's clients need none
// of that service. A caller's rights at the door hold before. The answer, its errors too, is the service's own, word for word, in the encoding
// that the client speaks; an error of the service about our credentials is told so in its message, and in the log.
//
// A call that got no whole answer is not made again here: a read is answered ServiceUnavailable (503), and what changes something InternalFailure (500), since
// it may have been carried out; clients of AWS repeat both, as they do with the service itself. GetRecords names no stream: it needs the right to consume at all, and
// an iterator, which GetShardIterator gave for a stream that its caller may consume. SubscribeToShard is refused: it lives on a stream of events that is not passed on.
//
// run() is called on network loops, one or more; calls block on threads of its own. `client` and `logger` must outlive it.
class RemoteOperations final : public Operations {
 public:
  RemoteOperations(aws::ServiceClient& client, Logger& logger, RemoteOptions options);
  void run(Call call, AnswerDone done) override;

 private:
  std::expected<Answer, Fault> pass_on(const Call& call);
  Fault no_answer(const Call& call, const Error& error);
  Fault fault_in(const Call& call, const aws::HttpResponse& response);

  aws::ServiceClient& client_;
  Logger& logger_;
  JobPool pool_;  // Last: its threads use the rest.
};

}  // namespace pinflow::doors::kinesis
