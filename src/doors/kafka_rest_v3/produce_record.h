#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "doors/json_cursor.h"
#include "doors/kafka_rest_v3/answers.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest_v3 {

// What a delivery report says of a key or value.
struct PartReport {
  std::string_view type;  // "BINARY", "JSON" or "STRING".
  std::size_t size = 0;   // In bytes, as stored.
};

// One record of API v3: {"partition_id","headers","key","value","timestamp"}, all optional.
struct ProduceRecord {
  log::Record record;
  std::optional<std::int32_t> partition;
  std::optional<PartReport> key;  // None: the member was absent or null.
  std::optional<PartReport> value;
  std::string id;  // Of an entry of a batch.
};

// Reads one record, whose text is a whole JSON object and nothing else. Of data, JSON keeps the exact bytes, STRING gives the text of a
// JSON string, BINARY what base64 says; null and absent data are Kafka's null. The types with schemas, and data without a type, which
// stands for the latest schema, are 422 / 42206, as there is no registry. Malformed JSON, unknown members and wrong kinds: status 400,
// after which a stream does not go on. Data that does not fit its type: code 400 with status 422.
std::expected<ProduceRecord, Refusal> parse_record(std::string_view text);

// An entry of a batch, {"id", ...record}. `id` is set also in a refusal, as far as it was read before.
std::expected<ProduceRecord, Refusal> parse_entry(std::string_view text, std::string& id);

// The delivery report of a record that is stored, with its id for an entry of a batch.
std::string report(const ProduceRecord& sent, const log::Appended& stored, std::string_view cluster,
                   std::string_view topic);
// {"error_code","message"}, with the id for an entry of a batch.
std::string report(const Refusal& refusal, std::string_view id = {});

}  // namespace pinflow::doors::kafka_rest_v3
