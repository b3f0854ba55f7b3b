#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/running.h"
#include "app/schedule_parts.h"
#include "app/terminal.h"
#include "net/listen.h"

namespace pinflow::app {

namespace {

constexpr std::chrono::seconds kDrain{30};  // For the lanes to take what was acknowledged, after the doors are closed.

void print_banner(const Environment& environment, const Pipeline& pipeline) {
  const config::Config& config = environment.config();
  const records::Names names{config.topics.prefix};
  fmt::print(
      "pinflow {} is up.\n"
      "  doors         {}\n"
      "  Kafka         {}\n"
      "  topics        {}, ...geo, ...user     (batch lane)\n"
      "  streams       {}, ...geo, ...user     (stream lane, live metrics)\n"
      "  acknowledged  {}\n"
      "  data          {}\n"
      "  batch         {}\n"
      "  live          {}/live/profiles\n"
      "  try           pinflow emulate --to both --url {} --data {}\n"
      "Ctrl-C stops it.\n",
      PINFLOW_VERSION, pipeline.url(), pipeline.kafka_address(), names.topic(records::Kind::kPin),
      names.stream(records::Kind::kPin), acknowledgement(config), config.data.folder.string(),
      config.schedule.enabled
          ? fmt::format("{} in {} (pinflow schedule show)", config.schedule.cron, config.schedule.timezone)
          : "by hand (schedule.enabled = false)",
      pipeline.url(), pipeline.url(), config.data.folder.string());
  std::fflush(stdout);
}

Result<ExitCode> up(Environment& environment) {
  net::raise_open_file_limit();
  TRY_ASSIGN(const auto stores, open_stores(environment, true));
  TRY(environment.disk->create_folders(environment.folder("")));
  // Of the pipeline, which has the schedule's routes and so starts after it; no run is before that.
  log::Log* log = nullptr;
  TRY_ASSIGN(const auto runs,
             open_schedule(environment, *stores, {.job = batch_job(environment, *stores, [&log] { return log; })}));
  PipelineOptions options;
  options.add = [&](doors::DoorSet& doors) { add_to_doors(environment, runs, doors); };
  TRY_ASSIGN(const auto pipeline, start_pipeline(environment, *stores, options));
  log = &pipeline->log();
  runs.scheduler->start();
  print_banner(environment, *pipeline);
  run_until_stopped(environment, *pipeline);
  runs.scheduler->stop();  // A run in progress stops; the next start tries it again.
  environment.logger->info("stopping: the doors close, the lanes take what is in the log");
  pipeline->close_doors();
  if (const auto drained = pipeline->catch_up(kDrain, {}); !drained) {
    environment.logger->warning("stopped before the lanes caught up; the next start goes on from here",
                                {{"why", drained.error().message}});
  }
  return kOk;
}

}  // namespace

void add_up(CLI::App& root, Action& selected) {
  CLI::App* command = root.add_subcommand("up",
                                          "Runs all roles in this process until Ctrl-C: doors, log, sink, stream lane, "
                                          "live metrics, schedule of the batch");
  command->footer(
      "Examples:\n"
      "  pinflow up\n"
      "  pinflow up --data my-data --set http.port=8083\n"
      "The data folder is made where it is missing; a restart goes on where the last run stopped. SIGTERM and Ctrl-C "
      "close the\n"
      "doors, let the lanes catch up and end it; a second signal ends it at once, and loses nothing that was "
      "acknowledged.\n"
      "SIGHUP reads the certificate files of the doors, tokens and access keys anew.");
  command->callback([&selected] { selected = up; });
}

}  // namespace pinflow::app
