#include <cstdint>

#include <simdjson.h>

#include "base/check.h"
#include "records/raw_batch.h"

// Whatever the bytes: no crash, and a record that becomes a row is JSON in the eyes of a reader that checks
// all of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow;
  static records::RawBatch pins(records::Kind::kPin);
  static records::RawBatch geos(records::Kind::kGeo);
  static simdjson::dom::parser whole;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (records::RawBatch* batch : {&pins, &geos}) {
    batch->clear();
    const auto added = batch->add(text, {.topic = "fuzz"});
    CHECK(batch->batch().rows() == (added.has_value() ? 1 : 0), "a refused record leaves a trace");
    if (!added) continue;
    const auto error = whole.parse(text.data(), text.size()).error();
    // The whole reader also refuses numbers beyond its types, which are JSON all the same.
    CHECK(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR, "a row was made of what is not JSON");
    std::string json;
    records::append_json_record(json, batch->batch(), 0);
    records::RawBatch again(batch->kind());
    CHECK(again.add(json, {.topic = "fuzz"}).has_value(), "a row does not read back");
  }
  return 0;
}
