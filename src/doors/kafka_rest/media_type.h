#pragma once

#include <optional>
#include <string_view>

#include "doors/kafka_rest/profile.h"

namespace pinflow::doors::kafka_rest {

// How keys and values lie in JSON: of a produce request, of the records that a consumer reads.
enum class EmbeddedFormat { kBinary, kJson, kAvro, kJsonSchema, kProtobuf };

// "binary", "json", "avro", "jsonschema", "protobuf".
std::optional<EmbeddedFormat> format_of(std::string_view name);
std::string_view name_of(EmbeddedFormat format);
// "application/vnd.kafka.<format>.v2+json".
std::string_view records_type(EmbeddedFormat format);

// Reads a Content-Type of a produce request. Types compare whole and in any case; the only parameter is charset=utf-8. Confluent:
// exactly application/vnd.kafka.<format>.v2+json. Karapace: also .v1, no version, no format, application/json,
// application/octet-stream and no type at all, of which those without a format mean binary. Empty: anything else, which is 415.
std::optional<EmbeddedFormat> produce_format(std::string_view content_type, const Rules& rules);

// Whether a request that steers a consumer may have this Content-Type: those of produce requests, and application/vnd.kafka.v2+json.
bool takes_control_type(std::string_view content_type, const Rules& rules);

// Whether an Accept header allows our answers without records: application/vnd.kafka[.<format>].v2+json or a wildcard of it with a
// weight above zero; Karapace: any version, application/json and */json too. An empty header allows all. Looks at 50 ranges at most.
bool accepts_answer(std::string_view accept, const Rules& rules);

// The format in which a client wants the records that it reads. Of what the header weighs alike, binary comes first, as the
// Confluent proxy weighs it. Empty: 406. An instance of another format is 406 / 40601.
// `own` is the instance's: the types without a format, application/vnd.kafka.v2+json, mean it.
std::optional<EmbeddedFormat> records_format(std::string_view accept, EmbeddedFormat own, const Rules& rules);

}  // namespace pinflow::doors::kafka_rest
