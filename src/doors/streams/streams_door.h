#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "doors/streams/put_request.h"
#include "doors/worker.h"
#include "http/router.h"
#include "log/log.h"

namespace pinflow::doors::streams {

struct StreamsOptions {
  std::int32_t max_shards = 100;
  std::string account = "000000000000";  // As error texts and ARNs show it.
  std::string region = "us-east-1";
};

// The REST resources that people map onto Kinesis with an API gateway (/streams, /streams/{name}, .../record, .../records,
// .../sharditerator), over a log: a stream is a topic, a shard a partition, and a record goes to the shard whose range of the
// MD5 ring has its partition key. Answers are those of Kinesis, but failures have their true status, which such
// gateways hide behind 200 (docs in the module's README).
// Lives on the network loop. `log`, `worker` and `clock` must outlive it; it must outlive the server. Answers in flight do not need it.
class StreamsDoor {
 public:
  StreamsDoor(log::Log& log, Worker& worker, const Clock& clock, Random random, StreamsOptions options)
      : log_(log), worker_(worker), clock_(clock), random_(random), options_(std::move(options)) {}

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
  // Wraps a responder so that its answer carries x-amzn-RequestId.
  Respond with_request_id(Respond respond);
  std::expected<log::Topic, Fault> find(const std::string& name);
  std::string arn(const log::Topic& stream) const;

  log::Log& log_;
  Worker& worker_;
  const Clock& clock_;
  Random random_;
  const StreamsOptions options_;
};

}  // namespace pinflow::doors::streams
