#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/batch_run.h"
#include "app/commands.h"
#include "app/schedule_parts.h"

namespace pinflow::app {

namespace {

Result<ExitCode> batch_run(Environment& environment, const batch::BatchOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const batch::BatchReport report, run_batch_by_hand(environment, *stores, options));
  print_report(report);
  if (report.objects == 0 && report.tables.at("batch_posts") == 0) {
    fmt::print(
        "\nNothing was sunk yet. Post something first, as `pinflow emulate --help` shows, and let `pinflow up` sink "
        "it.\n");
  } else {
    fmt::print("\nThe answers: pinflow question all --data {}\n", environment.config().data.folder.string());
  }
  return exit_code_of(report);
}

}  // namespace

void add_batch(CLI::App& root, Action& selected) {
  CLI::App* batch = root.add_subcommand("batch", "The day's batch: clean, model, check and answer what was sunk");
  batch->require_subcommand(1);
  batch->footer("Example:\n  pinflow batch run --data my-data");
  CLI::App* run = batch->add_subcommand(
      "run", "Runs the batch now, over what was sunk since the last run; may run while pinflow is up");
  run->footer(
      "Examples:\n"
      "  pinflow batch run\n"
      "  pinflow batch run --data my-data --set sql.memory_limit=4GiB\n"
      "  pinflow batch run --rebuild\n"
      "Answers change for readers all at once, at the end of the run; a run that fails or is killed leaves those of "
      "the run\n"
      "before, and the next one goes on. Exit codes: 1, a question or check could not run; 4, a check stopped the "
      "run.");
  auto options = std::make_shared<batch::BatchOptions>();  // Shared with the callback that outlives this call.
  run->add_flag("--rebuild", options->rebuild, "Read all objects again and make every table anew");
  run->callback([&selected, options] {
    selected = [options](Environment& environment) { return batch_run(environment, *options); };
  });
}

}  // namespace pinflow::app
