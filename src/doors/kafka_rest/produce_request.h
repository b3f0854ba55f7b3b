#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doors/kafka_rest/media_type.h"
#include "doors/kafka_rest/profile.h"
#include "doors/kafka_rest/refusal.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest {

// A whole produce request, every record checked: nothing of a body with one bad record is stored.
struct ProduceRequest {
  std::vector<log::Record> records;
  // Where each record asks to go; as long as `records`, or empty if none asks.
  std::vector<std::optional<std::int32_t>> partitions;
  std::optional<log::RequestMark> mark =
      std::nullopt;  // By which the log knows it when it is sent again; none: it does not.
};

// Reads the body of POST /topics/{topic}[/partitions/{partition}].
// - json: key and value are the exact bytes of the JSON value (strings keep their quotes). binary: base64 of the bytes.
//   null or absent is Kafka's null in both.
// - avro, jsonschema, protobuf: 42201 (keys) or 42202 (values) without a schema, and 42205 with one, as there is no registry here.
// - A member that the API does not know is 422, as in older releases; a misspelt "partition" is never ignored.
// - Beyond the API: `timestamp` (milliseconds since 1970) and `headers` ([{"key","value": base64 or null}]) of a record, in the
//   form of Strimzi's bridge.
Checked<ProduceRequest> parse_produce_request(std::string_view body, EmbeddedFormat format, const Rules& rules);

}  // namespace pinflow::doors::kafka_rest
