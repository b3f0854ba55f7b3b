#include "doors/kafka_rest/record_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "doors/json_cursor.h"

namespace pinflow::doors::kafka_rest {

namespace {

// Of one visit to the log, which counts more than keys and values. What is not taken is read again later.
constexpr std::size_t kLeastAtOnce = 64 << 10;
constexpr std::size_t kMostAtOnce = 4 << 20;

std::size_t size_of(const std::optional<std::string>& bytes) {
  return bytes ? bytes->size() : 0;
}

// Writes a key or value; says what is wrong with it otherwise.
Result<void> write_bytes(std::string& out, const std::optional<std::string>& bytes, EmbeddedFormat format) {
  if (!bytes) {
    out += "null";
  } else if (format == EmbeddedFormat::kBinary) {
    out += '"';
    out += base64_encode(*bytes);
    out += '"';
  } else if (bytes->empty()) {
    out += "null";  // As the Confluent proxy reads it.
  } else {
    JsonCursor cursor(*bytes);
    TRY_ASSIGN(const auto slice, cursor.value());
    TRY(cursor.end());
    out += slice;
  }
  return {};
}

void write_headers(std::string& out, const std::vector<log::Header>& headers) {
  out += R"(,"headers":[)";
  for (std::size_t i = 0; i < headers.size(); ++i) {
    out += i == 0 ? R"({"key":)" : R"(,{"key":)";
    append_json_string(out, headers[i].key);
    out += headers[i].value ? fmt::format(R"(,"value":"{}"}})", base64_encode(*headers[i].value)) : R"(,"value":null})";
  }
  out += ']';
}

Result<void> write_record(std::string& out, const log::TopicPartition& place, const log::StoredRecord& record,
                          EmbeddedFormat format) {
  if (!out.empty()) out += ',';
  out += R"({"topic":)";
  append_json_string(out, place.topic);
  out += R"(,"key":)";
  if (auto written = write_bytes(out, record.key, format); !written)
    return fail(std::move(written).error().with_context("key"));
  out += R"(,"value":)";
  if (auto written = write_bytes(out, record.value, format); !written)
    return fail(std::move(written).error().with_context("value"));
  fmt::format_to(std::back_inserter(out), R"(,"partition":{},"offset":{},"timestamp":{})", place.partition.value(),
                 record.offset.value(), record.timestamp.time_since_epoch().count());
  if (!record.headers.empty()) write_headers(out, record.headers);
  out += '}';
  return {};
}

// Adds the records of one partition. False: the read ends here.
bool add(const log::FetchedPartition& fetched, EmbeddedFormat format, std::size_t max_bytes, ReadState& state,
         ReadOutcome& outcome, log::FetchPosition& position) {
  for (const log::StoredRecord& record : fetched.records) {
    const std::size_t size = size_of(record.key) + size_of(record.value);
    if (!state.text.empty() && state.bytes + size > max_bytes) {
      outcome.full = true;
      return false;
    }
    const std::size_t before = state.text.size();
    if (const auto written = write_record(state.text, fetched.partition, record, format); !written) {
      state.text.resize(before);
      outcome.bad_record = fmt::format("{} at topic {}, partition {}, offset {}", written.error().message,
                                       fetched.partition.topic, fetched.partition.partition, record.offset);
      return false;
    }
    state.bytes += size;
    position.offset = record.offset + 1;
  }
  position.offset = std::max(position.offset, fetched.next);
  return true;
}

}  // namespace

ReadOutcome read_records(log::Log& log, EmbeddedFormat format, std::size_t max_bytes, ReadState& state) {
  ReadOutcome outcome;
  const std::size_t left = max_bytes > state.bytes ? max_bytes - state.bytes : 1;
  auto fetched =
      log.fetch({.positions = state.positions, .max_bytes = std::clamp(left, kLeastAtOnce, kMostAtOnce)}, {});
  if (!fetched) {
    outcome.failure = std::move(fetched).error();
    return outcome;
  }
  auto position = state.positions.begin();  // The answer has the order of the request.
  for (log::FetchedPartition& each : *fetched) {
    if (each.error) {
      outcome.errors.emplace_back(std::move(each.partition), std::move(*each.error));
      continue;
    }
    position = std::ranges::find(position, state.positions.end(), each.partition, &log::FetchPosition::partition);
    if (position == state.positions.end()) break;
    if (!add(each, format, max_bytes, state, outcome, *position)) break;
  }
  return outcome;
}

}  // namespace pinflow::doors::kafka_rest
