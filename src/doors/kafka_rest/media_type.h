#pragma once

#include <optional>
#include <string_view>

namespace pinflow::doors::kafka_rest {

// How keys and values lie in the JSON of a produce request.
enum class EmbeddedFormat { kBinary, kJson, kAvro, kJsonSchema, kProtobuf };

inline constexpr std::string_view kAnswerType = "application/vnd.kafka.v2+json";

// Reads a Content-Type of a produce request: exactly application/vnd.kafka.<format>.v2+json, in any case; parameters may only be
// charset=utf-8. Empty: anything else, which is 415.
std::optional<EmbeddedFormat> produce_format(std::string_view content_type);

// True if an Accept header allows our answers: application/vnd.kafka[.<format>].v2+json, application/vnd.kafka+json,
// application/json, or a wildcard of these, with a weight above zero. An empty header allows all.
bool accepts_answer(std::string_view accept);

}  // namespace pinflow::doors::kafka_rest
