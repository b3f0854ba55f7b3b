#include "base/check.h"
#include "doors/json_cursor.h"
#include "doors/kinesis/sealed_text.h"
#include "doors/kinesis/sequence_number.h"
#include "doors/kinesis/shard_map.h"
#include "doors/kinesis/stream_state.h"
#include "doors/streams/put_request.h"

namespace streams = pinflow::doors::streams;

// What is accepted holds to the limits of a record, and stored data is one JSON value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto entry = streams::parse_put_record("s", body)) {
    pinflow::doors::JsonCursor cursor(entry->data);
    CHECK(cursor.value().value_or("") == entry->data && cursor.end(), "stored data is one JSON value");
    CHECK(!entry->partition_key.empty() && entry->partition_key.size() <= 256, "a key is in its bounds");
  }
  if (const auto entries = streams::parse_put_records("s", body)) {
    CHECK(!entries->empty() && entries->size() <= 500, "a call is in its bounds");
  }
  if (const auto shards = streams::parse_create_stream("s", body)) CHECK(*shards >= 1, "shards are in their bounds");
  (void)streams::parse_put_record(body, "{}");
  namespace kinesis = pinflow::doors::kinesis;
  (void)kinesis::parse_shard_id(body);
  if (const auto sealed = kinesis::SealedText::read(body)) {
    CHECK(sealed->position().shard >= 0 && sealed->position().offset >= 0, "a position is in its bounds");
  }
  if (const auto number = kinesis::parse_sequence_number(body); number && number->version == 2) {
    const auto again = kinesis::parse_sequence_number(kinesis::SequenceText(*number).view());
    CHECK(again == number, "a number is read as it was written");
  }
  // A state that is taken is written so that it is read again the same.
  if (const auto state = kinesis::decode_state(body, {})) {
    const auto again = kinesis::decode_state(kinesis::encode_state(*state), {});
    CHECK(again && again->shards == state->shards && again->tags == state->tags, "a state is read as it was written");
  }
  return 0;
}
