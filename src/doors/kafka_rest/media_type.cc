#include "doors/kafka_rest/media_type.h"

#include <algorithm>
#include <string>

namespace pinflow::doors::kafka_rest {

namespace {
constexpr std::size_t kMaxRanges = 50;  // An Accept header with more is refused unread.

constexpr std::pair<std::string_view, EmbeddedFormat> kFormats[] = {{"binary", EmbeddedFormat::kBinary},
                                                                    {"json", EmbeddedFormat::kJson},
                                                                    {"avro", EmbeddedFormat::kAvro},
                                                                    {"jsonschema", EmbeddedFormat::kJsonSchema},
                                                                    {"protobuf", EmbeddedFormat::kProtobuf}};

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

std::optional<EmbeddedFormat> embedded_format(std::string_view type) {
  constexpr std::string_view kPrefix = "application/vnd.kafka.";
  constexpr std::string_view kSuffix = ".v2+json";
  if (!type.starts_with(kPrefix) || !type.ends_with(kSuffix) || type.size() < kPrefix.size() + kSuffix.size())
    return {};
  const auto name = type.substr(kPrefix.size(), type.size() - kPrefix.size() - kSuffix.size());
  for (const auto& [known, format] : kFormats) {
    if (name == known) return format;
  }
  return std::nullopt;
}

bool is_answer_type(std::string_view type) {
  return type == "*/*" || type == "application/*" || type == "application/json" || type == kAnswerType ||
         type == "application/vnd.kafka+json" || embedded_format(type);
}

bool has_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = next_part(parameters, ';');
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return false;
}
}  // namespace

std::optional<EmbeddedFormat> produce_format(std::string_view content_type) {
  const auto format = embedded_format(lower(next_part(content_type, ';')));
  while (!content_type.empty()) {
    const auto parameter = lower(next_part(content_type, ';'));
    if (parameter != "charset=utf-8" && parameter != "charset=\"utf-8\"" && !parameter.empty()) return std::nullopt;
  }
  return format;
}

bool accepts_answer(std::string_view accept) {
  if (trim(accept).empty()) return true;
  for (std::size_t count = 0; !accept.empty() && count < kMaxRanges; ++count) {
    auto range = next_part(accept, ',');
    const auto type = lower(next_part(range, ';'));
    if (is_answer_type(type) && !has_zero_weight(range)) return true;
  }
  return false;
}

}  // namespace pinflow::doors::kafka_rest
