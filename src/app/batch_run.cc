#include "app/batch_run.h"

#include <utility>

#include <fmt/core.h>

#include "app/batch_engine.h"
#include "app/terminal.h"

namespace pinflow::app {

namespace {

class LineProgress final : public batch::Progress {
 public:
  LineProgress(const Clock& clock, bool quiet) : line_(clock, quiet) {}
  void step(std::string_view name) override {
    if (name != "read") line_.show(fmt::format("batch: {}", name), 0, 0);
  }
  void reading(const batch::ReadProgress& progress) override {
    line_.show("batch: bytes read", static_cast<std::int64_t>(progress.bytes),
               static_cast<std::int64_t>(progress.bytes_total));
  }

 private:
  ProgressLine line_;
};

std::string count(std::uint64_t number) {
  return human_count(static_cast<std::int64_t>(number));
}

}  // namespace

batch::BatchContext batch_context(Environment& environment, Stores& stores, Random& random, batch::RemoteEngine* remote,
                                  log::Log* log) {
  return {*stores.objects,
          {*stores.tables, *stores.engine, environment.clock, random, *environment.logger},
          *environment.disk,
          environment.folder("state"),
          stores.statements,
          log,
          remote};
}

Result<batch::BatchReport> run_with_progress(Environment& environment, batch::BatchJob& job, std::stop_token stop) {
  LineProgress progress(environment.clock, environment.quiet);
  return job.run(&progress, std::move(stop));
}

void print_report(const batch::BatchReport& report) {
  fmt::print("Batch run {}: {} new objects, {} read in {:.1f} s\n\n", report.run_id, count(report.objects),
             human_bytes(report.bytes), static_cast<double>(report.took.count()) / 1000);
  fmt::print("{:<6}  {:>12}  {:>12}  {:>12}  {:>12}  {:>12}\n", "kind", "records", "new posts", "repeats",
             "dead letters", "rows now");
  for (const auto& [kind, counts] : report.kinds) {
    fmt::print("{:<6}  {:>12}  {:>12}  {:>12}  {:>12}  {:>12}\n", records::to_string(kind), count(counts.records),
               count(counts.added), count(counts.repeats), count(counts.dead_letters), count(counts.rows));
  }
  for (const auto& [kind, counts] : report.kinds) {
    if (!counts.reloaded.empty())
      fmt::print("  {}: all objects were read again: {}\n", records::to_string(kind), counts.reloaded);
    if (counts.replaced > 0) {
      fmt::print("  {}: {} rows took the place of older ones; {} files were written anew\n", records::to_string(kind),
                 count(counts.replaced), count(counts.files_rewritten));
    }
  }
  for (const auto& [reason, times] : report.reasons) fmt::print("  dead letter: {} ({} times)\n", reason, count(times));
  for (const auto& [reason, objects] : report.skip_reasons)
    fmt::print("  left alone: {} objects: {}\n", count(objects), reason);
  if (report.log) {
    fmt::print("  log: {} offsets, {} taken in, {} wait to be sunk, {} left it before\n", count(report.log->offsets),
               count(report.log->taken), count(report.log->waiting), count(report.log->gone));
  }
  fmt::print("  posts: {}\n", report.posts_rebuilt.empty()
                                  ? fmt::format("{} were made anew", count(report.posts_touched))
                                  : fmt::format("all were made anew: {}", report.posts_rebuilt));
  fmt::print("\nChecks:\n");
  for (const batch::CheckResult& check : report.checks) {
    fmt::print("  {:<40} {}\n", check.check,
               check.findings == 0 ? "ok"
                                   : fmt::format("{}{} findings: {}", check.stops ? "STOP, " : "",
                                                 count(check.findings), check.description));
  }
  for (const batch::StatementFailure& failure : report.failures)
    fmt::print("\nNot run: {}: {}\n", failure.statement, failure.error.message);
  if (!report.published) {
    fmt::print(
        "\nNOT PUBLISHED: a check that stops has findings (table batch_check_findings). The cleaned records are in, "
        "readers still see the answers of the run before. Mend the cause and run the batch again.\n");
  }
}

ExitCode exit_code_of(const batch::BatchReport& report) {
  if (!report.published) return kDataQuality;
  return report.failures.empty() ? kOk : kFailed;
}

}  // namespace pinflow::app
