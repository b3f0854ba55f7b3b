#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "schedule/report.h"

namespace pinflow::schedule {

namespace {

constexpr std::array<std::string_view, 8> kFields = {"batch",  "read",  "log",   "records",
                                                     "reason", "table", "check", "failure"};

// A text up to the next tab, and the rest behind it; numbers, each up to its tab.
class Parts {
 public:
  explicit Parts(std::string_view value) : left_(value) {}

  std::string_view text() {
    const std::size_t tab = std::min(left_.find('\t'), left_.size());
    const std::string_view part = left_.substr(0, tab);
    left_.remove_prefix(std::min(tab + 1, left_.size()));
    return part;
  }
  bool numbers(std::initializer_list<std::int64_t*> into) {
    return std::ranges::all_of(into, [this](std::int64_t* number) {
      const std::string_view part = text();
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), *number);
      return error == std::errc() && end == part.data() + part.size();
    });
  }
  std::string rest() const { return std::string(left_); }

 private:
  std::string_view left_;
};

bool take_count(Report::Counts& counts, Parts parts) {
  std::int64_t count = 0;
  if (!parts.numbers({&count})) return false;
  counts.emplace_back(parts.rest(), count);
  return true;
}

}  // namespace

std::vector<std::pair<std::string_view, std::string>> report_fields(const Report& report) {
  std::vector<std::pair<std::string_view, std::string>> fields;
  const auto add = [&](std::string_view key, std::string value) { fields.emplace_back(key, std::move(value)); };
  add("batch", fmt::format("{}\t{}", report.published ? 1 : 0, report.batch_run));
  add("read", fmt::format("{}\t{}\t{}", report.objects, report.bytes, report.skipped_objects));
  if (const auto& log = report.log)
    add("log", fmt::format("{}\t{}\t{}\t{}", log->offsets, log->taken, log->waiting, log->gone));
  for (const Report::Kind& kind : report.kinds) {
    add("records", fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}", kind.records, kind.added, kind.repeats, kind.replaced,
                               kind.dead_letters, kind.rows, kind.kind));
  }
  for (const auto& [reason, times] : report.reasons) add("reason", fmt::format("{}\t{}", times, reason));
  for (const auto& [table, rows] : report.tables) add("table", fmt::format("{}\t{}", rows, table));
  for (const Report::Check& check : report.checks)
    add("check", fmt::format("{}\t{}\t{}", check.findings, check.stops ? 1 : 0, check.check));
  for (const Report::Failure& failure : report.failures)
    add("failure", fmt::format("{}\t{}", failure.statement, failure.error));
  return fields;
}

bool is_report_field(std::string_view key) {
  return std::ranges::find(kFields, key) != kFields.end();
}

bool take_report_field(Report& report, std::string_view key, std::string_view value) {
  Parts parts(value);
  if (key == "batch") {
    std::int64_t published = 0;
    if (!parts.numbers({&published})) return false;
    report.published = published != 0;
    report.batch_run = parts.rest();
    return true;
  }
  if (key == "read") return parts.numbers({&report.objects, &report.bytes, &report.skipped_objects});
  if (key == "log") {
    LogCounts& log = report.log.emplace();
    return parts.numbers({&log.offsets, &log.taken, &log.waiting, &log.gone});
  }
  if (key == "records") {
    Report::Kind& kind = report.kinds.emplace_back();
    const bool whole =
        parts.numbers({&kind.records, &kind.added, &kind.repeats, &kind.replaced, &kind.dead_letters, &kind.rows});
    kind.kind = parts.rest();
    return whole;
  }
  if (key == "reason") return take_count(report.reasons, parts);
  if (key == "table") return take_count(report.tables, parts);
  if (key == "check") {
    Report::Check& check = report.checks.emplace_back();
    std::int64_t stops = 0;
    const bool whole = parts.numbers({&check.findings, &stops});
    check.stops = stops != 0;
    check.check = parts.rest();
    return whole;
  }
  Report::Failure& failure = report.failures.emplace_back();
  failure.statement = parts.text();
  failure.error = parts.rest();
  return true;
}

}  // namespace pinflow::schedule
