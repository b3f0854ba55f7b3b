#include "base/check.h"
#include "doors/json_cursor.h"
#include "doors/kafka_rest/consumer_requests.h"
#include "doors/kafka_rest/media_type.h"
#include "doors/kafka_rest/produce_request.h"
#include "doors/kafka_rest/topic_pattern.h"

namespace rest = pinflow::doors::kafka_rest;

namespace {
// Whatever is accepted as JSON records consists of values that are JSON themselves.
void check_produce(std::string_view body, rest::EmbeddedFormat format, const rest::Rules& rules) {
  const auto request = rest::parse_produce_request(body, format, rules);
  if (!request) {
    CHECK(request.error().status >= 400 && !request.error().message.empty(), "a refusal says why");
    return;
  }
  CHECK(!request->records.empty(), "an accepted request has records");
  CHECK(request->partitions.empty() || request->partitions.size() == request->records.size(), "partitions fit");
  if (format != rest::EmbeddedFormat::kJson) return;
  for (const auto& record : request->records) {
    if (!record.value) continue;
    pinflow::doors::JsonCursor cursor(*record.value);
    CHECK(cursor.value().value_or("") == *record.value && cursor.end(), "a stored value is one JSON value");
  }
}

template <class T>
void check_refusal(const rest::Checked<T>& parsed) {
  CHECK(parsed || (parsed.error().status >= 400 && !parsed.error().message.empty()), "a refusal says why");
}
}  // namespace

// Bodies of all requests, under both profiles, and headers and patterns of any content.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto profile : {rest::Profile::kConfluent, rest::Profile::kKarapace}) {
    const auto& rules = rest::rules_of(profile);
    for (const auto format :
         {rest::EmbeddedFormat::kJson, rest::EmbeddedFormat::kBinary, rest::EmbeddedFormat::kAvro}) {
      check_produce(text, format, rules);
    }
    check_refusal(rest::parse_instance(text, rules));
    check_refusal(rest::parse_subscription(text, rules));
    check_refusal(rest::parse_partitions(text, rules));
    check_refusal(rest::parse_offsets(text, rules));
    (void)rest::produce_format(text, rules);
    (void)rest::takes_control_type(text, rules);
    (void)rest::accepts_answer(text, rules);
    (void)rest::records_format(text, rest::EmbeddedFormat::kJson, rules);
  }
  if (const auto pattern = rest::TopicPattern::make(text)) (void)pattern->matches("pinterest.pin");
  return 0;
}
