#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/running.h"
#include "net/listen.h"

namespace pinflow::app {

namespace {

constexpr const char* kCluster =
    "Needs log.engine = \"kafka\" and kafka_cluster.bootstrap_servers, and data.objects and data.tables where all "
    "processes reach\n"
    "them. Any number of them may run, and any may be killed: the others take over. docs/deploy.md tells how.";

void print_banner(const Environment& environment, const Pipeline& pipeline, const Roles& roles) {
  const config::Config& config = environment.config();
  const auto where = [&](const std::string& place, const char* folder) {
    return place.empty() ? (config.data.folder / folder).string() : place;
  };
  const char* const role = roles.serve ? "serve" : roles.sink ? "sink" : "stream";
  fmt::print("pinflow {} runs the role {}.\n", PINFLOW_VERSION, role);
  fmt::print("  {:<12}  {}\n", roles.serve ? "doors" : "status", pipeline.url());
  fmt::print("  {:<12}  {}\n", "cluster", pipeline.kafka_address());
  if (roles.serve) fmt::print("  {:<12}  {}\n", "acknowledged", acknowledgement(config));
  if (roles.sink) fmt::print("  {:<12}  {}\n", "objects", where(config.data.objects, "objects"));
  if (roles.stream || roles.serve) fmt::print("  {:<12}  {}\n", "tables", where(config.data.tables, "tables"));
  fmt::print("Ctrl-C stops it.\n");
  std::fflush(stdout);
}

// What a lane has in memory and not stored is read again by whoever has its partitions next.
Result<ExitCode> run_role(Environment& environment, const Roles& roles) {
  net::raise_open_file_limit();
  TRY_ASSIGN(const auto stores, open_stores(environment, true));
  TRY_ASSIGN(const auto pipeline, start_pipeline(environment, *stores, {.roles = roles, .add = {}}));
  print_banner(environment, *pipeline, roles);
  run_until_stopped(environment, *pipeline);
  environment.logger->info("stopping");
  pipeline->close_doors();
  return kOk;
}

CLI::App* add_role(CLI::App& root, Action& selected, const char* name, const char* what, const std::string& examples,
                   const Roles& roles) {
  CLI::App* command = root.add_subcommand(name, what);
  command->footer("Examples:\n" + examples + kCluster);
  command->callback(
      [&selected, roles] { selected = [roles](Environment& environment) { return run_role(environment, roles); }; });
  return command;
}

void add_sink(CLI::App& root, Action& selected) {
  const Roles roles{.serve = false, .sink = true, .stream = false};
  CLI::App* command =
      add_role(root, selected, "sink", "Runs the sink of topics into objects alone, over a Kafka cluster",
               "  pinflow sink --config cluster.toml --set http.port=0\n"
               "  pinflow sink --config cluster.toml --connector-properties s3-sink.properties\n"
               "The HTTP door has health and metrics alone; http.port=0 takes any free port.\n",
               roles);
  const auto file = std::make_shared<std::string>();
  command
      ->add_option("--connector-properties", *file,
                   "Settings of Kafka Connect's S3 sink; short for --set sink.connector_properties=FILE")
      ->type_name("FILE");
  command->callback([&selected, roles, file] {
    selected = [roles, file](Environment& environment) {
      if (!file->empty()) environment.settings.config.sink.connector_properties = *file;
      return run_role(environment, roles);
    };
  });
}

}  // namespace

void add_roles(CLI::App& root, Action& selected) {
  add_role(root, selected, "serve", "Runs the doors and live answers alone, over a Kafka cluster",
           "  pinflow serve --config cluster.toml\n"
           "  pinflow serve --config cluster.toml --set http.port=8083\n",
           {.serve = true, .sink = false, .stream = false});
  add_sink(root, selected);
  add_role(root, selected, "stream", "Runs the stream lane into tables alone, over a Kafka cluster",
           "  pinflow stream --config cluster.toml --set http.port=0\n"
           "The HTTP door has health and metrics alone; http.port=0 takes any free port.\n",
           {.serve = false, .sink = false, .stream = true});
}

}  // namespace pinflow::app
