#include "app/table_replay.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/pipeline_log.h"
#include "app/stores.h"
#include "app/stream_options.h"
#include "app/terminal.h"
#include "stream/replay.h"

namespace pinflow::app {

namespace {

struct ReplayCommand {
  std::string kind;
  std::string from = "earliest";
  std::string to = "latest";
  std::string into;
};

Result<stream::ReplayOptions> replay_options(const ReplayCommand& command) {
  stream::ReplayOptions options;
  for (const records::Kind kind : records::kKinds) {
    if (to_string(kind) == command.kind) options.kind = kind;
  }
  TRY_ASSIGN(options.from, stream::parse_position(command.from));
  TRY_ASSIGN(options.to, stream::parse_position(command.to));
  options.range = fmt::format("{} to {}", command.from, command.to);
  options.into = command.into;
  return options;
}

Result<ExitCode> replay(Environment& environment, const ReplayCommand& command) {
  TRY_ASSIGN(const auto options, replay_options(command));
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const PipelineLog log, open_log_to_read(environment));
  TRY_ASSIGN(const std::string id, log.embedded ? pipeline_id(environment) : shared_pipeline_id(*stores->tables));
  TRY_ASSIGN(const auto lane, stream_options(environment.config(), id));
  const stream::StreamContext context{log.log(),          *stores->tables,   *stores->engine,
                                      stores->statements, environment.clock, *environment.logger};
  const auto done = stream::replay(options, lane, context, Random(entropy_seed()), environment.stop);
  if (!done && done.error().code == ErrorCode::kCancelled) {
    fmt::print(stderr, "{}\n", done.error().message);
    return kInterrupted;
  }
  if (!done) return fail(done.error());
  fmt::print("{} records taken in, {} of them dead letters. Table {} has {} rows in version {}.\n",
             human_count(static_cast<std::int64_t>(done->records)),
             human_count(static_cast<std::int64_t>(done->dead_letters)), options.into, human_count(done->rows),
             done->version);
  return kOk;
}

}  // namespace

void add_table_replay(CLI::App& tables, Action& selected) {
  auto options = std::make_shared<ReplayCommand>();  // Shared with the callback that outlives this call.
  CLI::App* command = tables.add_subcommand("replay", "Takes a past range of a stream into a table of its own");
  command->add_option("--kind", options->kind, "pin, geo or user")
      ->required()
      ->check(CLI::IsMember({"pin", "geo", "user"}));
  command->add_option("--into", options->into, "The new table")->required();
  command
      ->add_option("--from", options->from,
                   "The first record: earliest, an offset (of each partition), or a time: the first record not older")
      ->capture_default_str();
  command->add_option("--to", options->to, "The first record left out, in the same words; latest: what is there now")
      ->capture_default_str();
  command->footer(
      "Each record of the range comes into the table once, also when the command is interrupted: the same command "
      "goes\n"
      "on with it. It may run beside `pinflow up`. What cannot be a row goes to the table <into>_dead_letters.\n"
      "Example:\n"
      "  pinflow tables replay --kind pin --from 2026-11-22T10:00:00Z --to 2026-11-22T12:00:00Z --into "
      "pins_of_the_morning");
  command->callback([&selected, options] {
    selected = [options](Environment& environment) { return replay(environment, *options); };
  });
}

}  // namespace pinflow::app
