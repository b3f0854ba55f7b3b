#include "base/check.h"
#include "doors/json_cursor.h"
#include "doors/streams/iterator.h"
#include "doors/streams/put_request.h"
#include "doors/streams/sequence_number.h"

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
  if (const auto shards = streams::parse_create_stream("s", body, 10))
    CHECK(*shards >= 1 && *shards <= 10, "shards are in their bounds");
  (void)streams::parse_put_record(body, "{}");
  (void)streams::parse_shard_id(body);
  if (const auto iterator = streams::ShardIterator::decode(body)) {
    CHECK(iterator->shard.value() >= 0 && iterator->offset.value() >= 0, "an iterator is in its bounds");
  }
  return 0;
}
