#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/migration.h"
#include "app/terminal.h"
#include "disk/real_disk.h"

extern char** environ;

namespace pinflow::app {

namespace {

struct MigrateOptions {
  std::string to;
  std::vector<std::string> settings;
  bool yes = false;
};

// The settings of the other side: its file, the environment, and --to-set. Options before the command are those of this side.
Result<config::Loaded> load_other(const MigrateOptions& options) {
  config::Sources sources;
  sources.file = options.to;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != text.npos) sources.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == setting.npos) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("--to-set {}: expected KEY=VALUE, such as --to-set data.folder=new-data", setting));
    }
    sources.flags.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return config::load(sources);
}

std::string place(const Environment& environment, const std::string& location, const char* folder) {
  return location.empty() ? environment.folder(folder).string() : location;
}

void print_sides(const Environment& from, const Environment& to) {
  const auto line = [](const char* what, const std::string& here, const std::string& there) {
    fmt::print("  {:<8} {}{}{}\n", what, here, here == there ? "  stays" : "\n        -> ", here == there ? "" : there);
  };
  line("log", log_place(from), log_place(to));
  line("objects", place(from, from.config().data.objects, "objects"), place(to, to.config().data.objects, "objects"));
  line("tables", place(from, from.config().data.tables, "tables"), place(to, to.config().data.tables, "tables"));
  line("state", from.folder("state").string(), to.folder("state").string());
}

void print_topics(const std::vector<migrate::TopicPlan>& topics) {
  if (topics.empty()) return;
  std::size_t width = 5;
  for (const auto& plan : topics) width = std::max(width, plan.topic.name.size());
  fmt::print("\n{:<{}}  {:>10}  {:>14}  {:>14}\n", "topic", width, "partitions", "records", "to copy");
  for (const auto& plan : topics) {
    fmt::print("{:<{}}  {:>10}  {:>14}  {:>14}\n", plan.topic.name, width, plan.topic.partitions,
               human_count(plan.records()), human_count(plan.left()));
  }
}

void print_plan(const MigrationPlan& plan) {
  print_topics(plan.topics);
  fmt::print("\n");
  if (!plan.groups.empty()) {
    fmt::print("groups   {}:", plan.groups.size());
    for (const auto& [group, offsets] : plan.groups) fmt::print(" {}", group);
    fmt::print("\n");
  }
  const auto store = [](const char* what, const std::optional<migrate::StoreTotals>& totals) {
    if (!totals) return;
    fmt::print("{:<8} {} of {} in all\n", what, human_count(static_cast<std::int64_t>(totals->objects)),
               human_bytes(totals->bytes));
  };
  store("objects", plan.objects);
  store("tables", plan.tables);
  if (!plan.state.empty()) fmt::print("state    {}\n", fmt::join(plan.state, ", "));
  for (const std::string& remark : plan.remarks) fmt::print("note     {}\n", remark);
}

void print_report(const MigrationReport& report, const MigrateOptions& options, const Environment& environment) {
  fmt::print("\nDone.\n");
  if (report.topics.compared > 0) {
    fmt::print("  {} records copied, {} compared: equal on both sides, each at its offset\n",
               human_count(report.topics.records), human_count(report.topics.compared));
  }
  if (report.topics.fillers > 0) {
    fmt::print("  {} offsets that compaction left empty hold tombstones of the key {}\n",
               human_count(report.topics.fillers), migrate::kFillerKey);
  }
  if (report.groups > 0) fmt::print("  {} groups go on where they were\n", report.groups);
  const auto store = [](const char* what, const migrate::StoreTotals& totals) {
    if (totals.objects == 0) return;
    fmt::print("  {}: {} copied, {}\n", what, human_count(static_cast<std::int64_t>(totals.objects)),
               human_bytes(totals.bytes));
  };
  store("objects", report.objects);
  store("tables", report.tables);
  if (report.positions.positions > 0) {
    fmt::print("  {} positions in {} tables stand under the ids that the topics have now\n", report.positions.positions,
               report.positions.tables);
  }
  fmt::print("\nNext: {} up --config {}. What is left here serves as a backup: post nothing more to it.\n",
             environment.program, options.to);
}

Result<ExitCode> migrate(Environment& environment, const MigrateOptions& options) {
  auto settings = load_other(options);
  if (!settings) {
    fmt::print(stderr, "pinflow: --to {}: {}\n", options.to, settings.error().message);
    return kConfiguration;
  }
  Environment other;
  other.disk = disk::make_real_disk();
  other.settings = *std::move(settings);
  other.logger = std::make_unique<StreamLogger>(other.clock, stderr, Severity::kWarning, StreamLogger::Format::kText);
  other.stop = environment.stop;
  other.quiet = environment.quiet;
  other.program = environment.program;

  TRY_ASSIGN(const auto migration, Migration::open(environment, other));
  TRY_ASSIGN(const MigrationPlan plan, migration->plan());
  if (!environment.quiet) {
    print_sides(environment, other);
    print_plan(plan);
  }
  if (!options.yes) {
    fmt::print("\nNothing was changed. With --yes it is done; posts must go to the new side from then on.\n");
    return kOk;
  }
  MigrationReport report;
  {
    ProgressLine line(environment.clock, environment.quiet);
    TRY_ASSIGN(report, migration->run(plan, [&](std::string_view what, std::int64_t done, std::int64_t total) {
      line.show(what, done, total);
    }));
  }
  print_report(report, options, environment);
  return kOk;
}

}  // namespace

void add_migrate(CLI::App& root, Action& selected) {
  auto options = std::make_shared<MigrateOptions>();  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand(
      "migrate", "Takes this machine's log, objects and tables to a cluster and to S3; says what it would do");
  command->add_option("--to", options->to, "TOML file of settings of where it all goes")->type_name("FILE")->required();
  command->add_option("--to-set", options->settings, "Sets one setting over that file; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--yes", options->yes, "Do it");
  command->footer(
      "Stop pinflow on both sides first. Records keep their offsets, so groups, objects and tables go on as they are. "
      "It may be stopped\n"
      "or killed anywhere and called again; what is copied is compared. docs/deploy.md has the whole way.\n"
      "Examples:\n"
      "  pinflow migrate --data my-data --to cluster.toml\n"
      "  pinflow migrate --data my-data --to cluster.toml --yes");
  command->callback([&selected, options] {
    selected = [options](Environment& environment) { return migrate(environment, *options); };
  });
}

}  // namespace pinflow::app
