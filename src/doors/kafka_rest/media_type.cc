#include "doors/kafka_rest/media_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace pinflow::doors::kafka_rest {

namespace {
constexpr std::size_t kMaxRanges = 50;  // What an Accept header has beyond is not looked at.

struct FormatName {
  std::string_view name;
  EmbeddedFormat format;
  std::string_view type;
};
constexpr std::array<FormatName, 5> kFormats{{
    {"binary", EmbeddedFormat::kBinary, "application/vnd.kafka.binary.v2+json"},
    {"json", EmbeddedFormat::kJson, "application/vnd.kafka.json.v2+json"},
    {"avro", EmbeddedFormat::kAvro, "application/vnd.kafka.avro.v2+json"},
    {"jsonschema", EmbeddedFormat::kJsonSchema, "application/vnd.kafka.jsonschema.v2+json"},
    {"protobuf", EmbeddedFormat::kProtobuf, "application/vnd.kafka.protobuf.v2+json"},
}};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

// Cuts the first part of a list off.
std::string_view next_part(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const auto part = trim(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return part;
}

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A type of the API: application/vnd.kafka[.<format>][.<version>]+json.
struct KafkaType {
  std::optional<EmbeddedFormat> format;
  int version = 0;  // 0: none.
};

std::optional<KafkaType> kafka_type(std::string_view type) {
  if (!drop_prefix(type, "application/vnd.kafka") || !type.ends_with("+json")) return std::nullopt;
  type.remove_suffix(std::string_view("+json").size());
  KafkaType found;
  if (type.ends_with(".v1") || type.ends_with(".v2")) {
    found.version = type.back() - '0';
    type.remove_suffix(3);
  }
  if (type.empty()) return found;
  if (!drop_prefix(type, ".")) return std::nullopt;
  found.format = format_of(type);
  if (!found.format) return std::nullopt;
  return found;
}

bool is_utf8(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = lower(next_part(parameters, ';'));
    if (parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"" && !parameter.empty()) return false;
  }
  return true;
}

// The weight of a range in thousandths; 0 where it cannot be read.
int weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = next_part(parameters, ';');
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    const auto number = parameter.substr(2);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc{} || end != number.data() + number.size() || !(value >= 0)) return 0;
    return static_cast<int>(std::min(value, 1.0) * 1000);
  }
  return 1000;
}

template <class Each>
void each_range(std::string_view accept, Each each) {
  for (std::size_t count = 0; !accept.empty() && count < kMaxRanges; ++count) {
    auto range = next_part(accept, ',');
    const auto type = lower(next_part(range, ';'));
    if (!type.empty()) each(std::string_view(type), weight(range));
  }
}

bool is_wildcard(std::string_view type, const Rules& rules) {
  return type == "*/*" || type == "application/*" || (rules.takes_plain_json && type == "*/json");
}

bool is_answer_type(std::string_view type, const Rules& rules) {
  if (is_wildcard(type, rules) || (rules.takes_plain_json && type == "application/json")) return true;
  const auto kafka = kafka_type(type);
  return kafka && (rules.takes_plain_json || kafka->version == 2);
}
}  // namespace

std::optional<EmbeddedFormat> format_of(std::string_view name) {
  for (const auto& known : kFormats) {
    if (known.name == name) return known.format;
  }
  return std::nullopt;
}

std::string_view name_of(EmbeddedFormat format) {
  return kFormats[static_cast<std::size_t>(format)].name;
}

std::string_view records_type(EmbeddedFormat format) {
  return kFormats[static_cast<std::size_t>(format)].type;
}

std::optional<EmbeddedFormat> produce_format(std::string_view content_type, const Rules& rules) {
  const auto type = lower(next_part(content_type, ';'));
  if (!is_utf8(content_type)) return std::nullopt;
  const auto kafka = kafka_type(type);
  if (!rules.takes_plain_json) return kafka && kafka->version == 2 ? kafka->format : std::nullopt;
  if (kafka) return kafka->format.value_or(EmbeddedFormat::kBinary);
  if (type.empty() || type == "application/json" || type == "application/octet-stream") return EmbeddedFormat::kBinary;
  return std::nullopt;
}

bool takes_control_type(std::string_view content_type, const Rules& rules) {
  if (produce_format(content_type, rules)) return true;
  const auto kafka = kafka_type(lower(next_part(content_type, ';')));
  return kafka && kafka->version == 2 && is_utf8(content_type);
}

bool accepts_answer(std::string_view accept, const Rules& rules) {
  if (trim(accept).empty()) return true;
  bool accepted = false;
  each_range(accept, [&](std::string_view type, int weight) {
    accepted = accepted || (weight > 0 && is_answer_type(type, rules));
  });
  return accepted;
}

std::optional<EmbeddedFormat> records_format(std::string_view accept, EmbeddedFormat own, const Rules& rules) {
  if (trim(accept).empty())
    return rules.records_need_named_accept ? std::nullopt : std::optional(EmbeddedFormat::kBinary);
  std::array<int, kFormats.size()> named{};  // By format: the weight of a range that names it, ...
  std::array<bool, kFormats.size()> is_named{};
  int wildcard = 0;  // ... or of one that takes all.
  each_range(accept, [&](std::string_view type, int weight) {
    if (is_wildcard(type, rules)) {
      if (!rules.records_need_named_accept) wildcard = std::max(wildcard, weight);
    } else if (const auto kafka = kafka_type(type); kafka && (rules.takes_plain_json || kafka->version == 2)) {
      const auto at = static_cast<std::size_t>(kafka->format.value_or(own));
      named[at] = std::max(named[at], weight);
      is_named[at] = true;
    }
  });
  std::optional<EmbeddedFormat> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    const int weight = is_named[i] ? named[i] : wildcard;
    if (weight <= best_weight) continue;
    best = kFormats[i].format;
    best_weight = weight;
  }
  return best;
}

}  // namespace pinflow::doors::kafka_rest
