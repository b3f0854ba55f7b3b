#pragma once

#include <string>

#include "base/random.h"
#include "doors/kinesis/protocol.h"
#include "doors/streams/put_request.h"
#include "http/router.h"

namespace pinflow::doors::streams {

struct StreamsOptions {
  std::string account = "000000000000";  // As error texts and ARNs show it.
  std::string region = "us-east-1";
  // Errors are answered 200 with the error as the body, but those of DELETE (400, 500): the habit of gateways that were set up by
  // AWS's tutorial. Otherwise failures have their true status.
  bool apigw_status = false;
};

// The REST resources that people map onto Kinesis with an API gateway (/streams, /streams/{name}, .../record, .../records,
// .../sharditerator): each becomes a call of an operation of Kinesis, whose answer it gives in JSON. A stream that is created or
// deleted here is so when the answer comes, since such clients do not ask for its status.
// Lives on the network loop. `operations` must outlive it; it must outlive the server. Answers in flight do not need it.
class StreamsDoor {
 public:
  StreamsDoor(kinesis::Operations& operations, Random random, StreamsOptions options)
      : operations_(operations), random_(random), options_(std::move(options)) {}

  void add_routes(http::Router& router);

 private:
  using Respond = http::Responder;
  void list(http::Request request, Respond respond);
  void describe(http::Request request, Respond respond);
  void create(http::Request request, Respond respond);
  void remove(http::Request request, Respond respond);
  void put_record(http::Request request, Respond respond);
  void put_records(http::Request request, Respond respond);
  void get_iterator(http::Request request, Respond respond);
  void get_records(http::Request request, Respond respond);
  void unrouted(http::Request request, Respond respond);

  void add(http::Router& router, std::string method, std::string_view pattern,
           void (StreamsDoor::*member)(http::Request, Respond));
  // Wraps a responder so that its answer carries x-amzn-RequestId, and the status that the gateway gives.
  Respond with_request_id(Respond respond, bool is_delete);
  void run(const http::Request& request, std::string_view operation, kinesis::Value::Structure input, Respond respond);
  // As run(), where the path names the stream and the name is checked here.
  void run_on_stream(const http::Request& request, std::string_view operation, kinesis::Value::Structure input,
                     Respond respond);

  kinesis::Operations& operations_;
  Random random_;
  const StreamsOptions options_;
};

}  // namespace pinflow::doors::streams
