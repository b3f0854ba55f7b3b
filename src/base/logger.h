#pragma once

#include <cstdio>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.h"

namespace pinflow {

enum class Severity { kDebug, kInfo, kWarning, kError };

// One named value of a log line: {"topic", "pinterest.pin"}.
struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  template <class T>
    requires(!std::convertible_to<T, std::string_view>)
  LogField(std::string_view name, const T& printable) : key(name), value(fmt::format("{}", printable)) {}
  std::string_view key;
  std::string value;
};

// Where the program tells its operator what happens. Constant text in `message`, values in fields. Safe from
// any thread.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void write(Severity severity, std::string_view message, std::span<const LogField> fields) = 0;

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(Severity::kDebug, message, {fields.begin(), fields.size()});
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(Severity::kInfo, message, {fields.begin(), fields.size()});
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(Severity::kWarning, message, {fields.begin(), fields.size()});
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(Severity::kError, message, {fields.begin(), fields.size()});
  }
};

// Writes one line an event to a C stream: `2026-11-22T10:15:00.123Z info message key=value`, or a JSON
// object. Control bytes in values are escaped, so no input can forge a line.
class StreamLogger final : public Logger {
 public:
  enum class Format { kText, kJson };
  // `clock` and `stream` must outlive the logger; neither is owned.
  StreamLogger(const Clock& clock, std::FILE* stream, Severity least, Format format);
  void write(Severity severity, std::string_view message, std::span<const LogField> fields) override;

 private:
  const Clock& clock_;
  std::FILE* stream_;
  Severity least_;
  Format format_;
  std::mutex mutex_;
};

// Drops everything; for tests and tools that speak for themselves.
class NullLogger final : public Logger {
 public:
  void write(Severity, std::string_view, std::span<const LogField>) override {}
};

}  // namespace pinflow
