#include "base/logger.h"

#include "base/check.h"
#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow {

namespace {
std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "debug";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  CHECK(false, "a severity outside its enum");
}

bool is_plain(std::string_view value) {
  return !value.empty() && value.find_first_of(" \"\\=") == std::string_view::npos &&
         std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string text_line(std::string time, Severity severity, std::string_view message, std::span<const LogField> fields) {
  std::string line = fmt::format("{} {:7} {}", time, name_of(severity), message);
  for (const LogField& field : fields) {
    line += fmt::format(" {}=", field.key);
    if (is_plain(field.value)) {
      line += field.value;
    } else {
      append_json_string(line, field.value);
    }
  }
  return line;
}

std::string json_line(std::string time, Severity severity, std::string_view message, std::span<const LogField> fields) {
  JsonWriter json;
  json.begin_object().key("time").string(time).key("level").string(name_of(severity)).key("message").string(message);
  for (const LogField& field : fields) json.key(field.key).string(field.value);
  json.end_object();
  return std::move(json).take();
}
}  // namespace

StreamLogger::StreamLogger(const Clock& clock, std::FILE* stream, Severity least, Format format)
    : clock_(clock), stream_(stream), least_(least), format_(format) {}

void StreamLogger::write(Severity severity, std::string_view message, std::span<const LogField> fields) {
  if (severity < least_) return;
  const std::string time = format_iso8601(clock_.now());
  std::string line = format_ == Format::kText ? text_line(time, severity, message, fields)
                                              : json_line(time, severity, message, fields);
  line += '\n';
  const std::scoped_lock lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), stream_);
  std::fflush(stream_);
}

}  // namespace pinflow
