#include "doors/kafka_rest/produce_request.h"

#include <charconv>

#include <fmt/core.h>

#include "base/base64.h"
#include "doors/json_cursor.h"

namespace pinflow::doors::kafka_rest {

namespace {

using Refused = std::unexpected<Refusal>;
using Step = std::expected<void, Refusal>;

// As TRY, for the cursor's errors: the body is not JSON, or of the wrong shape.
#define READ(declaration, expression)                                                                      \
  auto PINFLOW_CONCAT(read_, __LINE__) = (expression);                                                     \
  if (!PINFLOW_CONCAT(read_, __LINE__)) return malformed(PINFLOW_CONCAT(read_, __LINE__).error().message); \
  declaration = std::move(*PINFLOW_CONCAT(read_, __LINE__))
#define STEP(expression)                                                          \
  do {                                                                            \
    if (auto step = (expression); !step) return Refused(std::move(step).error()); \
  } while (false)

Refused unprocessable(std::string message) {
  return refuse(422, 422, std::move(message));
}

// Text of the sender's, short enough to be quoted back.
std::string excerpt(std::string_view text) {
  return text.size() <= 100 ? std::string(text) : std::string(text.substr(0, 100)) + "...";
}

class Parser {
 public:
  Parser(std::string_view body, EmbeddedFormat format, const Rules& rules)
      : cursor_(body), format_(format), rules_(rules) {}

  std::expected<ProduceRequest, Refusal> parse() {
    if (auto begun = cursor_.begin_object(); !begun) return malformed(begun.error().message);
    for (;;) {
      READ(const auto name, cursor_.next_member());
      if (!name) break;
      STEP(member(*name));
    }
    if (auto end = cursor_.end(); !end) return malformed(end.error().message);
    if (!has_records_) return unprocessable("records must not be null: the body needs {\"records\":[{\"value\":...}]}");
    if (request_.records.empty()) return unprocessable("records must not be empty");
    STEP(check_schemas());
    return std::move(request_);
  }

 private:
  Refused malformed(std::string_view why) const {
    return refuse(400, 400, fmt::format("{}: {}", rules_.malformed_body, why));
  }

  Step member(std::string_view name) {
    if (name == "records") return records();
    const bool of_key = name == "key_schema" || name == "key_schema_id";
    const bool of_value = name == "value_schema" || name == "value_schema_id";
    if (!of_key && !of_value) return unprocessable(fmt::format("Unrecognized field: {}", excerpt(name)));
    READ(const auto slice, cursor_.value());
    if (slice != "null") (of_key ? has_key_schema_ : has_value_schema_) = true;
    return {};
  }

  Step records() {
    READ(const auto kind, cursor_.peek());
    if (kind == JsonKind::kNull) {
      READ([[maybe_unused]] const auto null, cursor_.value());
      return {};
    }
    if (has_records_) return malformed(fmt::format("records is there twice, again at {}", cursor_.place()));
    has_records_ = true;
    if (auto begun = cursor_.begin_array(); !begun) return malformed("records: " + begun.error().message);
    for (;;) {
      READ(const bool more, cursor_.next_element());
      if (!more) return {};
      STEP(record());
    }
  }

  Step record() {
    if (auto begun = cursor_.begin_object(); !begun) return malformed("a record: " + begun.error().message);
    log::Record record;
    std::optional<std::int32_t> partition;
    for (;;) {
      READ(const auto name, cursor_.next_member());
      if (!name) break;
      if (*name == "value") {
        STEP(bytes(record.value));
      } else if (*name == "key") {
        STEP(bytes(record.key));
      } else if (*name == "partition") {
        STEP(this->partition(partition));
      } else if (*name == "timestamp") {
        STEP(timestamp(record.timestamp));
      } else if (*name == "headers") {
        record.headers.clear();
        STEP(headers(record.headers));
      } else {
        return unprocessable(
            fmt::format("Unrecognized field: {} in record {}", excerpt(*name), request_.records.size()));
      }
    }
    has_keys_ = has_keys_ || record.key;
    has_values_ = has_values_ || record.value;
    if (partition) {
      request_.partitions.resize(request_.records.size());
      request_.partitions.push_back(partition);
    } else if (!request_.partitions.empty()) {
      request_.partitions.emplace_back();
    }
    request_.records.push_back(std::move(record));
    return {};
  }

  Step bytes(std::optional<std::string>& out) {
    READ(const auto slice, cursor_.value());
    if (slice == "null") {
      out.reset();
    } else if (format_ != EmbeddedFormat::kBinary) {
      out = slice;
    } else {
      STEP(base64(slice, out));
    }
    return {};
  }

  Step base64(std::string_view slice, std::optional<std::string>& out) {
    const bool is_string = slice.starts_with('"');
    const auto text = is_string ? JsonCursor::decode_string(slice) : std::string(slice);
    auto decoded = base64_decode(text);
    if (!is_string || !decoded) {
      return refuse(400, 400, fmt::format("Bad Request: data={} is not a base64 string.", excerpt(text)));
    }
    out = std::move(*decoded);
    return {};
  }

  template <class T>
  Step integer(std::string_view what, std::optional<T>& out) {
    const auto place = cursor_.place();
    READ(const auto slice, cursor_.value());
    out.reset();
    if (slice == "null") return {};
    T number = 0;
    const auto [end, error] = std::from_chars(slice.data(), slice.data() + slice.size(), number);
    if (error != std::errc{} || end != slice.data() + slice.size()) {
      return malformed(fmt::format("{} is not an integer of its range at {}", what, place));
    }
    if (number < 0) return unprocessable(fmt::format("{} must not be negative at {}", what, place));
    out = number;
    return {};
  }

  Step partition(std::optional<std::int32_t>& out) { return integer("partition", out); }

  Step timestamp(std::optional<WallTime>& out) {
    std::optional<std::int64_t> milliseconds;
    STEP(integer("timestamp", milliseconds));
    if (milliseconds) out = WallTime(std::chrono::milliseconds(*milliseconds));
    return {};
  }

  Step headers(std::vector<log::Header>& out) {
    if (auto begun = cursor_.begin_array(); !begun) return malformed("headers: " + begun.error().message);
    for (;;) {
      READ(const bool more, cursor_.next_element());
      if (!more) return {};
      STEP(header(out.emplace_back()));
    }
  }

  Step header(log::Header& out) {
    if (auto begun = cursor_.begin_object(); !begun) return malformed("a header: " + begun.error().message);
    bool has_key = false;
    for (;;) {
      READ(const auto name, cursor_.next_member());
      if (!name) break;
      READ(const auto kind, cursor_.peek());
      READ(const auto slice, cursor_.value());
      if (*name == "key" && kind == JsonKind::kString) {
        out.key = JsonCursor::decode_string(slice);
        has_key = true;
      } else if (*name == "value") {
        if (kind != JsonKind::kNull) STEP(base64(slice, out.value));
      } else {
        return unprocessable(fmt::format("Unrecognized field: {} in a header", excerpt(*name)));
      }
    }
    if (!has_key)
      return unprocessable(fmt::format("a header needs a key that is a string, before {}", cursor_.place()));
    return {};
  }

  Step check_schemas() const {
    if (format_ == EmbeddedFormat::kBinary || format_ == EmbeddedFormat::kJson) return {};
    if (has_keys_ && !has_key_schema_) {
      return refuse(422, 42201, "Request includes keys but does not include key schema");
    }
    if (has_values_ && !has_value_schema_) {
      return refuse(422, 42202, "Request includes values but does not include value schema");
    }
    if (!has_keys_ && !has_values_) return {};
    return refuse(422, 42205,
                  "Invalid schema: there is no schema registry here; send the records as "
                  "application/vnd.kafka.json.v2+json or application/vnd.kafka.binary.v2+json");
  }

  JsonCursor cursor_;
  const EmbeddedFormat format_;
  const Rules& rules_;
  ProduceRequest request_;
  bool has_records_ = false;
  bool has_key_schema_ = false;
  bool has_value_schema_ = false;
  bool has_keys_ = false;
  bool has_values_ = false;
};

#undef READ
#undef STEP

}  // namespace

Checked<ProduceRequest> parse_produce_request(std::string_view body, EmbeddedFormat format, const Rules& rules) {
  if (body.empty())
    return refuse(rules.missing_body_status, rules.missing_body_status, std::string(rules.missing_body));
  return Parser(body, format, rules).parse();
}

}  // namespace pinflow::doors::kafka_rest
