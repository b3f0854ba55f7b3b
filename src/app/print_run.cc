#include <fmt/core.h>

#include "app/schedule_parts.h"
#include "app/terminal.h"
#include "base/timestamp.h"

namespace pinflow::app {

namespace {

std::string time_of(const std::optional<WallTime>& at) {
  return at ? format_seconds(*at) : "-";
}

double seconds_of(std::chrono::milliseconds took) {
  return static_cast<double>(took.count()) / 1'000;
}

void print_report(const schedule::Report& report) {
  fmt::print("batch     {}, {}\n", report.batch_run,
             report.published ? "published" : "NOT PUBLISHED: readers see the answers of the run before");
  fmt::print(
      "read      {} objects, {}{}\n", human_count(report.objects),
      human_bytes(static_cast<std::uint64_t>(report.bytes)),
      report.skipped_objects > 0 ? fmt::format("; {} with other names were left alone", report.skipped_objects) : "");
  if (const auto& log = report.log) {
    fmt::print("log       {} offsets, {} taken in, {} wait to be sunk, {} left it before\n", human_count(log->offsets),
               human_count(log->taken), human_count(log->waiting), human_count(log->gone));
  }
  if (!report.kinds.empty()) {
    fmt::print("\n{:<6}  {:>12}  {:>12}  {:>12}  {:>12}  {:>12}\n", "kind", "records", "new posts", "repeats",
               "dead letters", "rows now");
  }
  for (const schedule::Report::Kind& kind : report.kinds) {
    fmt::print("{:<6}  {:>12}  {:>12}  {:>12}  {:>12}  {:>12}\n", kind.kind, human_count(kind.records),
               human_count(kind.added), human_count(kind.repeats), human_count(kind.dead_letters),
               human_count(kind.rows));
  }
  for (const auto& [reason, times] : report.reasons) fmt::print("  dead letter: {} ({} times)\n", reason, times);
  if (!report.checks.empty()) fmt::print("\nChecks:\n");
  for (const schedule::Report::Check& check : report.checks) {
    fmt::print("  {:<40} {}\n", check.check,
               check.findings == 0
                   ? "ok"
                   : fmt::format("{}{} findings", check.stops ? "STOP, " : "", human_count(check.findings)));
  }
  if (!report.tables.empty()) fmt::print("\nRows of the tables:\n");
  for (const auto& [table, rows] : report.tables) fmt::print("  {:<40} {:>14}\n", table, human_count(rows));
  for (const schedule::Report::Failure& failure : report.failures)
    fmt::print("\nNot run: {}: {}\n", failure.statement, failure.error);
}

}  // namespace

void print_run(const schedule::Run& run) {
  fmt::print("run       {}, {}, {}\n", run.id, to_string(run.kind), to_string(run.state));
  if (run.kind == schedule::RunKind::kManual) {
    fmt::print("asked     {} (UTC)\n", time_of(run.queued));
  } else {
    fmt::print("interval  {} to {} (UTC){}\n", time_of(run.interval.start), time_of(run.interval.end),
               run.intervals > 1 ? fmt::format(", {} intervals", run.intervals) : "");
  }
  if (run.started) {
    fmt::print("attempt   {}, from {} to {}{}\n", run.attempts, time_of(run.started), time_of(run.ended),
               run.ended ? fmt::format(" ({:.1f} s)", seconds_of(*run.ended - *run.started)) : "");
  }
  if (run.retry_at) fmt::print("retry     {}\n", time_of(run.retry_at));
  if (!run.outcome.message.empty()) fmt::print("message   {}\n", run.outcome.message);
  if (run.outcome.report) print_report(*run.outcome.report);
  if (!run.outcome.steps.empty()) fmt::print("\nSteps:\n");
  for (const auto& [name, took] : run.outcome.steps) fmt::print("  {:<10} {:>10.3f} s\n", name, seconds_of(took));
}

}  // namespace pinflow::app
