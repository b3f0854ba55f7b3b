#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/batch_run.h"
#include "app/commands.h"

namespace pinflow::app {

namespace {

Result<ExitCode> batch_run(Environment& environment) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const batch::BatchReport report, run_batch(environment, *stores));
  print_report(report);
  if (report.objects == 0) {
    fmt::print(
        "\nNothing was sunk yet. Post something first, as `pinflow emulate --help` shows, and let `pinflow up` sink "
        "it.\n");
  } else {
    fmt::print("\nThe answers: pinflow question all --data {}\n", environment.config().data.folder.string());
  }
  return kOk;
}

}  // namespace

void add_batch(CLI::App& root, Action& selected) {
  CLI::App* batch = root.add_subcommand("batch", "The day's batch: clean, model, check and answer what was sunk");
  batch->require_subcommand(1);
  batch->footer("Example:\n  pinflow batch run --data my-data");
  CLI::App* run =
      batch->add_subcommand("run", "Runs the batch now, over all sunk objects; may run while pinflow is up");
  run->footer(
      "Examples:\n"
      "  pinflow batch run\n"
      "  pinflow batch run --data my-data --set sql.memory_limit=4GiB\n"
      "All result tables change at the end of the run; a run that fails or is killed leaves those of the run before.");
  run->callback([&selected] { selected = batch_run; });
}

}  // namespace pinflow::app
