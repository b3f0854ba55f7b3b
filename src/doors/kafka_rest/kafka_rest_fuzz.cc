#include "base/check.h"
#include "doors/json_cursor.h"
#include "doors/kafka_rest/media_type.h"
#include "doors/kafka_rest/produce_request.h"

namespace rest = pinflow::doors::kafka_rest;

// Whatever is accepted as JSON records consists of values that are JSON themselves; headers of any content do no harm.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto format : {rest::EmbeddedFormat::kJson, rest::EmbeddedFormat::kBinary, rest::EmbeddedFormat::kAvro}) {
    const auto request = rest::parse_produce_request(body, format);
    if (!request) {
      CHECK(request.error().status >= 400 && !request.error().message.empty(), "a refusal says why");
      continue;
    }
    CHECK(!request->records.empty(), "an accepted request has records");
    CHECK(request->partitions.empty() || request->partitions.size() == request->records.size(), "partitions fit");
    if (format != rest::EmbeddedFormat::kJson) continue;
    for (const auto& record : request->records) {
      if (!record.value) continue;
      pinflow::doors::JsonCursor cursor(*record.value);
      CHECK(cursor.value().value_or("") == *record.value && cursor.end(), "a stored value is one JSON value");
    }
  }
  (void)rest::produce_format(body);
  (void)rest::accepts_answer(body);
  return 0;
}
