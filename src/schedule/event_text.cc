#include <array>
#include <charconv>

#include <fmt/core.h>

#include "schedule/history.h"

namespace pinflow::schedule {

namespace {

constexpr std::string_view kVersion = "1";
constexpr std::array<std::string_view, 9> kTypes = {"began",   "queued",  "claimed",  "ended",  "paused",
                                                    "resumed", "started", "requeued", "skipped"};
constexpr std::array<RunKind, 3> kKinds = {RunKind::kScheduled, RunKind::kManual, RunKind::kBackfill};

// CRC-32 of zlib, so that any tool can check a line.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::int64_t millis(WallTime at) {
  return at.time_since_epoch().count();
}

// Tab and newline end fields and lines, so they are written as \t and \n.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    out += text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i];
  }
  return out;
}

template <class T>
bool read_number(std::string_view text, T& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_time(std::string_view text, WallTime& into) {
  std::int64_t value = 0;
  if (!read_number(text, value)) return false;
  into = WallTime(std::chrono::milliseconds(value));
  return true;
}

// Takes in one field of a line; false: it is damaged. Fields that are not known are left alone: a later version may add some.
bool take_field(Event& event, std::string_view key, std::string_view value) {
  if (key == "run") return read_number(value, event.run);
  if (key == "claim") return read_number(value, event.claim);
  if (key == "exit") return read_number(value, event.outcome.exit_code);
  if (key == "start") return read_time(value, event.interval.start);
  if (key == "end") return read_time(value, event.interval.end);
  if (key == "intervals") return read_number(value, event.intervals);
  if (key == "retry_at") return read_time(value, event.retry_at.emplace());
  if (key == "retry_in") {
    std::int64_t delay = 0;
    if (!read_number(value, delay)) return false;
    event.retry_in = std::chrono::milliseconds(delay);
  }
  if (is_report_field(key)) {
    if (!event.outcome.report) event.outcome.report.emplace();
    return take_report_field(*event.outcome.report, key, unescaped(value));
  }
  if (key == "owner") event.owner = unescaped(value);
  if (key == "message") event.outcome.message = unescaped(value);
  if (key == "kind") {
    for (const RunKind kind : kKinds) {
      if (to_string(kind) != value) continue;
      event.kind = kind;
      return true;
    }
    return false;
  }
  if (key == "state") {
    const auto state = parse_state(value);
    if (!state) return false;
    event.state = *state;
    event.outcome.success = *state == RunState::kSuccess;
  }
  std::int64_t number = 0;
  if (key.starts_with("step.")) {
    if (!read_number(value, number)) return false;
    event.outcome.steps.emplace_back(unescaped(key.substr(5)), std::chrono::milliseconds(number));
  }
  return true;
}

// Cuts what is before the next tab off.
std::string_view cut(std::string_view& rest) {
  const std::size_t tab = rest.find('\t');
  const std::string_view first = rest.substr(0, tab);
  rest = tab == std::string_view::npos ? std::string_view() : rest.substr(tab + 1);
  return first;
}

}  // namespace

std::string event_line(const Event& event) {
  std::string line = fmt::format("{}\t{}\t{}\t{}", kVersion, event.number, millis(event.at),
                                 kTypes[static_cast<std::size_t>(event.type)]);
  const auto add = [&](std::string_view key, const auto& value) { line += fmt::format("\t{}={}", key, value); };
  if (event.run != 0) add("run", event.run);
  const bool makes =
      event.type == Event::Type::kQueued || event.type == Event::Type::kStarted || event.type == Event::Type::kSkipped;
  if (makes) {
    add("kind", to_string(event.kind));
    add("start", millis(event.interval.start));
    add("end", millis(event.interval.end));
  }
  if (event.type == Event::Type::kSkipped) {
    add("intervals", event.intervals);
    add("message", escaped(event.outcome.message));
  }
  if (event.type == Event::Type::kClaimed || event.type == Event::Type::kStarted) {
    add("owner", escaped(event.owner));
    if (event.retry_in) add("retry_in", event.retry_in->count());
  }
  if (event.type == Event::Type::kEnded) {
    add("claim", event.claim);
    add("state", to_string(event.state));
    if (event.retry_at) add("retry_at", millis(*event.retry_at));
    add("exit", event.outcome.exit_code);
    add("message", escaped(event.outcome.message));
    if (event.outcome.report) {
      for (const auto& [key, value] : report_fields(*event.outcome.report)) add(key, escaped(value));
    }
    for (const auto& [name, took] : event.outcome.steps) add("step." + escaped(name), took.count());
  }
  return fmt::format("{}\tcrc={:08x}\n", line, crc32(line));
}

Result<Event> parse_event(std::string_view line) {
  const auto damaged = [&] {
    return fail(ErrorCode::kCorrupt, fmt::format("a line of runs is damaged: {:.80}", line));
  };
  const std::size_t crc = line.rfind("\tcrc=");
  if (crc == std::string_view::npos || line.substr(crc + 5) != fmt::format("{:08x}", crc32(line.substr(0, crc))))
    return damaged();
  std::string_view rest = line.substr(0, crc);
  Event event;
  if (const auto version = cut(rest); version != kVersion) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("runs are in version {} of the format, and this program reads {}", version, kVersion));
  }
  if (!read_number(cut(rest), event.number) || !read_time(cut(rest), event.at)) return damaged();
  const std::string_view type = cut(rest);
  std::size_t which = 0;
  while (which < kTypes.size() && kTypes[which] != type) ++which;
  if (which == kTypes.size()) return damaged();
  event.type = static_cast<Event::Type>(which);
  while (!rest.empty()) {
    const std::string_view field = cut(rest);
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos || !take_field(event, field.substr(0, equals), field.substr(equals + 1)))
      return damaged();
  }
  return event;
}

}  // namespace pinflow::schedule
