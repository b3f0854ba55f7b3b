#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/online_check.h"
#include "sql/statements.h"

namespace pinflow::app {

namespace {

// Beyond the values themselves (which were checked before this runs): what they point at.
Result<ExitCode> check(Environment& environment, bool online) {
  const config::Config& config = environment.config();
  bool good = true;
  const auto report = [&](std::string_view what, const Result<void>& result) {
    fmt::print("{:<12} {}\n", what, result ? "ok" : result.error().message);
    good = good && result.has_value();
  };
  fmt::print("{:<12} ok\n", "settings");
  const auto probe_folder = [&]() -> Result<void> {
    TRY(environment.disk->create_folders(config.data.folder));
    const disk::Path probe = config.data.folder / ".check";
    TRY(environment.disk->write_file(probe, "probe"));
    TRY(environment.disk->remove(probe));
    TRY_ASSIGN(const ByteCount space, environment.disk->free_space(config.data.folder));
    if (space < config.log.reserved_space) {
      return fail(
          ErrorCode::kUnavailable,
          fmt::format("{} has {} bytes free, less than log.reserved_space = {}: posts would be refused. Free some "
                      "space or lower the setting.",
                      config.data.folder.string(), space.count(), config.log.reserved_space.count()));
    }
    return {};
  };
  report("data folder", probe_folder());
  const auto probe_statements = [&]() -> Result<void> {
    const auto folder = config.sql.statements;
    TRY(sql::Statements::load(folder.empty() ? std::nullopt : std::optional(folder)));
    return {};
  };
  report("statements", probe_statements());
  if (online && good) check_online(environment, report);
  return good ? kOk : kConfiguration;
}

Result<ExitCode> print_settings(Environment& environment) {
  for (const config::Printed& line : config::print(environment.settings)) {
    fmt::print("# {}\n{} = {}    # {}\n", line.description, line.key, line.value, line.origin);
  }
  return kOk;
}

}  // namespace

void add_config(CLI::App& root, Action& selected) {
  CLI::App* config = root.add_subcommand("config", "Checks and shows the settings");
  config->require_subcommand(1);
  CLI::App* check_command = config->add_subcommand("check", "Checks every setting and what it points at");
  check_command->footer(
      "Examples:\n"
      "  pinflow config check\n"
      "  pinflow config check --config /etc/pinflow.toml\n"
      "  pinflow config check --config cluster.toml --online\n"
      "With --online also whether S3, the Kafka cluster and Spark can be reached and let pinflow do what it does "
      "there: an object is put\n"
      "below pinflow/check of each store, read, listed and removed; of the cluster, topics and groups are asked, and "
      "nothing is sent.\n"
      "Exit code 3 when something is wrong; each problem has a line of its own.");
  auto online = std::make_shared<bool>(false);
  check_command->add_flag("--online", *online, "Asks the outside systems that the settings name as well");
  check_command->callback(
      [&selected, online] { selected = [online](Environment& environment) { return check(environment, *online); }; });
  CLI::App* print_command = config->add_subcommand("print", "Shows every setting, its value and where it comes from");
  print_command->footer(
      "Examples:\n  pinflow config print\n  PINFLOW_HTTP__PORT=9000 pinflow config print | grep http.port");
  print_command->callback([&selected] { selected = print_settings; });
}

}  // namespace pinflow::app
