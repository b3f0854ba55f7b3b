#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "doors/kafka_rest/media_type.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest {

// What a read has so far, and where it goes on.
struct ReadState {
  std::vector<log::FetchPosition> positions;  // Moved on behind each record that is in `text`.
  std::string text;                           // Records as JSON objects with commas between them.
  std::size_t bytes = 0;                      // Of their keys and values.
};

struct ReadOutcome {
  bool full = false;  // The next record would not fit.
  // A record that is not of the format, where the read stopped; what is before it is in the state.
  std::optional<std::string> bad_record;
  std::vector<std::pair<log::TopicPartition, Error>> errors;
  std::optional<Error> failure;  // Of the fetch as a whole.
};

// Reads what is there now, a few megabytes at most, and writes it in the form of the REST Proxy; adds it to `state`. Waits for
// nothing but the disk. Takes at least one record, however large, then only what keeps keys and values within max_bytes.
// binary: key and value in base64. json: the stored bytes, which must be JSON; none of them is null. `timestamp` (milliseconds) is always
// there, `headers` ([{"key","value" in base64}]) where the record has some.
ReadOutcome read_records(log::Log& log, EmbeddedFormat format, std::size_t max_bytes, ReadState& state);

}  // namespace pinflow::doors::kafka_rest
