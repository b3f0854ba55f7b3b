#include "app/run_report.h"

#include <fmt/format.h>

#include "app/batch_run.h"
#include "app/environment.h"

namespace pinflow::app {

namespace {

constexpr std::size_t kLongestError = 2'000;  // Of a statement: the history keeps it for ever.

std::int64_t count(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

// Another attempt with the same program, configuration, statements and objects would end the same.
bool would_repeat(ExitCode code) {
  return code == kUsage || code == kConfiguration || code == kDataQuality || code == kStorage;
}

schedule::Report report_of(const batch::BatchReport& batch) {
  schedule::Report report;
  report.batch_run = batch.run_id;
  report.published = batch.published;
  report.objects = count(batch.objects);
  report.bytes = count(batch.bytes);
  report.skipped_objects = count(batch.skipped_objects);
  if (const auto& log = batch.log)
    report.log = {count(log->offsets), count(log->taken), count(log->waiting), count(log->gone)};
  for (const auto& [kind, counts] : batch.kinds) {
    report.kinds.push_back({std::string(records::to_string(kind)), count(counts.records), count(counts.added),
                            count(counts.repeats), count(counts.replaced), count(counts.dead_letters),
                            count(counts.rows)});
  }
  for (const auto& [reason, times] : batch.reasons) report.reasons.emplace_back(reason, count(times));
  for (const auto& [table, rows] : batch.tables) report.tables.emplace_back(table, count(rows));
  for (const batch::CheckResult& check : batch.checks)
    report.checks.push_back({check.check, check.stops, count(check.findings)});
  for (const batch::StatementFailure& failure : batch.failures)
    report.failures.push_back({failure.statement, failure.error.message.substr(0, kLongestError)});
  return report;
}

std::string message_of(const batch::BatchReport& batch) {
  std::string message = fmt::format("batch run {}", batch.run_id);
  for (const batch::CheckResult& check : batch.checks) {
    if (!batch.published && check.stops && check.findings > 0)
      message += fmt::format("; stopped by check {}: {} findings", check.check, check.findings);
  }
  for (const batch::StatementFailure& failure : batch.failures)
    message += fmt::format("; {} could not run", failure.statement);
  return message;
}

}  // namespace

schedule::Outcome outcome_of(const Result<batch::BatchReport>& ended, const batch::BatchReport& report) {
  schedule::Outcome outcome;
  outcome.exit_code = ended ? exit_code_of(*ended) : exit_code_of(ended.error());
  outcome.success = outcome.exit_code == kOk;
  outcome.message = ended ? message_of(report) : ended.error().message;
  // A run that came to its end would do so again: statements and data stay as they are.
  outcome.retry = !ended && !would_repeat(static_cast<ExitCode>(outcome.exit_code));
  if (!report.run_id.empty()) outcome.report = report_of(report);
  outcome.steps = report.steps;
  return outcome;
}

}  // namespace pinflow::app
