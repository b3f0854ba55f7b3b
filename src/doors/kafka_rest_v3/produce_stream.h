#pragma once

#include <memory>
#include <optional>
#include <string>

#include "access/caller.h"
#include "base/clock.h"
#include "doors/idempotency.h"
#include "http/server.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest_v3 {

// Bounds of one stream of records.
struct StreamLimits {
  std::size_t records = 1'000;  // Not yet reported to the client; when there are more, reading waits.
  std::size_t bytes =
      4 << 20;  // Of their text, likewise. Records that came in one piece go together, so it may be one piece more.
  std::size_t record = 4 << 20;       // Of the text of one record.
  std::size_t keyed_records = 1'000;  // Of a request with an Idempotency-Key, in all.
};

struct StreamParts {
  log::Log& log;
  const Clock& clock;
  std::string cluster;
  log::Topic topic;
  std::optional<IdempotencyKey> key;
  bool latin1 = false;                                     // The body is ISO-8859-1.
  std::shared_ptr<const access::Caller> caller = nullptr;  // Shared with the request. Its limits are charged.
  StreamLimits limits{};
};

// Stores a stream of records, concatenated JSON objects, and answers with one report per record, in order, while the request is still
// open: 200 as soon as the first report is there, or 422 where the body has no record at all. Reports gather only while the log is
// busy or the client does not read; then no more of the request is read. A text that is no record ends the stream: a last
// report says why, and what came before is stored. Call it on the network loop; `log` and `clock` must live until the log has answered
// all that was given to it.
void produce_stream(StreamParts parts, std::unique_ptr<http::BodyStream> body, http::Responder respond);

}  // namespace pinflow::doors::kafka_rest_v3
