#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/http_options.h"
#include "app/posting.h"

namespace pinflow::app {

namespace {

struct EmulateOptions {
  std::string to;
  std::string url;
  std::string ca;
  std::string source;
  std::string order;
  double rate = 0;
  bool burst = false;
  std::int64_t limit = 0;
  std::uint64_t seed = 1;
  int connections = 32;
};

Result<emulator::EmulatorOptions> understand(const Environment& environment, const EmulateOptions& options) {
  emulator::EmulatorOptions result;
  TRY_ASSIGN(result.targets, emulator::parse_targets(options.to));
  const config::Config& config = environment.config();
  TRY_ASSIGN(result.url, http::Url::parse(options.url.empty() ? http_url(config, config.http.port) : options.url));
  result.authority = options.ca;
  result.token = posting_token();
  if (!options.order.empty()) {
    TRY_ASSIGN(result.order, emulator::parse_order(options.order));
  }
  if (options.rate > 0) result.rate = options.rate;
  if (options.limit > 0) result.limit = options.limit;
  result.burst = options.burst;
  result.seed = options.seed;
  result.connections = options.connections;
  result.console = [](std::string_view line) { fmt::print("{}\n", line); };
  return result;
}

Result<ExitCode> emulate(Environment& environment, const EmulateOptions& options) {
  TRY_ASSIGN(const auto understood, understand(environment, options));
  const std::string source = options.source.empty() ? default_source(environment) : options.source;
  TRY_ASSIGN(const auto report, post(environment, source, understood));
  print_report(report, understood.targets, stderr);
  if (report.done == report.posts) return kOk;
  return report.stopped ? kInterrupted : kFailed;
}

}  // namespace

void add_emulate(CLI::App& root, Action& selected) {
  auto options = std::make_shared<EmulateOptions>();  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand("emulate", "Posts rows of the source as the users of the site would");
  command->add_option("--to", options->to, "console, topics, streams or both (topics and streams)")->required();
  command
      ->add_option("--url", options->url,
                   "Front door, with its stage if it has one (default: the door of the settings)")
      ->type_name("URL");
  command
      ->add_option(
          "--ca", options->ca,
          "PEM file of the authority that signed an https:// door's certificate (default: those the system trusts)")
      ->type_name("FILE");
  command->add_option("--source", options->source,
                      "DuckDB file or mysql://user@host/database (default: source.duckdb of the data folder)");
  command->add_option("--order", options->order, "draws, in-order or shuffled (default: draws; with --burst in-order)");
  CLI::Option* rate =
      command->add_option("--rate", options->rate, "Posts a second (default: random pauses of 0 to 2 s)")
          ->check(CLI::PositiveNumber);
  command->add_flag("--burst", options->burst, "As fast as the doors take them")->excludes(rate);
  command->add_option("--limit", options->limit, "Posts at most")->check(CLI::PositiveNumber);
  command->add_option("--seed", options->seed, "The same seed gives the same posts in the same order")
      ->capture_default_str();
  command->add_option("--connections", options->connections, "Connections at a time, with --rate or --burst")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  pinflow emulate --to console --limit 3\n"
      "  pinflow emulate --to both\n"
      "  pinflow emulate --to topics --burst --url http://127.0.0.1:8082\n"
      "  pinflow emulate --to streams --rate 50 --source mysql://reader@127.0.0.1/pins\n"
      "A front door that asks for credentials gets the token in the variable PINFLOW_TOKEN.\n"
      "What was refused for a reason that passes is sent again with back-off. Exit code 1 when a post was not taken in "
      "the end.");
  command->callback([&selected, options] {
    selected = [options](Environment& environment) { return emulate(environment, *options); };
  });
}

}  // namespace pinflow::app
