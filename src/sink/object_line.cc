#include "sink/object_line.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "sink/internal/json_text.h"

namespace pinflow::sink {

namespace {

constexpr std::string_view kNullLine = R"({"pinflow.raw":null})";

void append_escape(std::string& out, std::string_view value) {
  out += kEscapePrefix;
  out += '"';
  out += base64_encode(value);
  out += "\"}";
}

}  // namespace

void append_object_line(std::string& out, std::optional<std::string_view> value) {
  const std::size_t begin = out.size();
  const auto text = value ? internal::inspect_json(*value) : internal::JsonText::kNotJson;
  switch (text) {
    case internal::JsonText::kOneLine:
      out += *value;
      break;
    case internal::JsonText::kManyLines:
      internal::append_without_blanks(out, *value);
      break;
    case internal::JsonText::kNotJson:
      break;
  }
  const bool feigned = is_escaped(std::string_view(out).substr(begin));
  if (!value) {
    out += kNullLine;
  } else if (text == internal::JsonText::kNotJson || feigned) {
    out.resize(begin);
    append_escape(out, *value);
  }
  out += '\n';
}

Result<std::optional<std::string>> unescape(std::string_view line) {
  if (line == kNullLine) return std::optional<std::string>();
  std::string_view text = line;
  if (!text.starts_with(kEscapePrefix)) return fail(ErrorCode::kCorrupt, "the line is not an escaped value");
  text.remove_prefix(kEscapePrefix.size());
  if (text.size() < 3 || !text.starts_with('"') || !text.ends_with("\"}")) {
    return fail(ErrorCode::kCorrupt, "the escaped value has no base64 text");
  }
  text.remove_prefix(1);
  text.remove_suffix(2);
  auto bytes = base64_decode(text);
  if (!bytes)
    return fail(ErrorCode::kCorrupt, fmt::format("the escaped value cannot be decoded: {}", bytes.error().message));
  return std::optional<std::string>(std::move(*bytes));
}

}  // namespace pinflow::sink
