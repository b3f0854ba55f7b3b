#include "app/table_maintenance.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/stores.h"
#include "app/terminal.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "delta/check.h"
#include "delta/history.h"
#include "delta/maintenance.h"
#include "delta/table.h"

namespace pinflow::app {

namespace {

struct MaintenanceOptions {
  std::string table;
  std::string format = "table";
  std::optional<std::int64_t> version;
  std::size_t limit = 20;
  std::int64_t target_mib = 128;
  std::optional<std::int64_t> retention_hours;
  bool allow_short = false;
  bool dry_run = false;
};

// The one named, or all there are.
Result<std::vector<std::string>> chosen(Stores& stores, const MaintenanceOptions& options) {
  TRY_ASSIGN(auto names, delta::list_tables(*stores.tables));
  if (options.table.empty()) return names;
  if (std::ranges::find(names, options.table) == names.end()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no table {}; `pinflow tables` lists those that are there", options.table));
  }
  return std::vector{options.table};
}

struct Workbench {
  explicit Workbench(Environment& given) : environment(given), random(entropy_seed()) {}
  delta::TableContext context(Stores& stores) {
    return {*stores.tables, *stores.engine, environment.clock, random, *environment.logger};
  }
  Environment& environment;
  Random random;
};

// ---- describe

void print_description(const std::string& name, const delta::Snapshot& snapshot) {
  fmt::print("{}: version {}, {} rows, {} files, {}\n", name, snapshot.version.value(), human_count(snapshot.rows()),
             snapshot.files.size(), human_bytes(snapshot.bytes()));
  std::size_t width = 6;
  for (const delta::Field& field : snapshot.schema) width = std::max(width, field.name.size());
  fmt::print("\n{:<{}}  type\n", "column", width);
  for (const delta::Field& field : snapshot.schema) fmt::print("{:<{}}  {}\n", field.name, width, field.type);
  if (!snapshot.partition_columns.empty()) {
    fmt::print("\npartitioned by {}\n", fmt::join(snapshot.partition_columns, ", "));
  }
  if (snapshot.transactions.empty()) return;
  fmt::print("\nTaken in from each source, through the offset:\n");
  for (const auto& [app, version] : snapshot.transactions) fmt::print("  {}  {}\n", app, version);
}

void print_description_json(const std::string& name, const delta::Snapshot& snapshot) {
  JsonWriter json;
  json.begin_object().key("table").string(name).key("id").string(snapshot.table_id);
  json.key("version").integer(snapshot.version.value()).key("rows").integer(snapshot.rows());
  json.key("files").integer(static_cast<std::int64_t>(snapshot.files.size()));
  json.key("bytes").integer(static_cast<std::int64_t>(snapshot.bytes()));
  json.key("columns").begin_array();
  for (const delta::Field& field : snapshot.schema) {
    json.begin_object().key("name").string(field.name).key("type").string(field.type).end_object();
  }
  json.end_array().key("partition_columns").begin_array();
  for (const std::string& column : snapshot.partition_columns) json.string(column);
  json.end_array().key("sources").begin_array();
  for (const auto& [app, version] : snapshot.transactions) {
    json.begin_object().key("source").string(app).key("through").integer(version).end_object();
  }
  json.end_array().end_object();
  fmt::print("{}\n", std::move(json).take());
}

Result<ExitCode> describe(Environment& environment, const MaintenanceOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY(chosen(*stores, options));
  delta::AsOf as_of;
  if (options.version) as_of = delta::Version(*options.version);
  TRY_ASSIGN(const auto snapshot, delta::read_snapshot(*stores->tables, *stores->engine, options.table, as_of));
  (options.format == "json" ? print_description_json : print_description)(options.table, snapshot);
  return kOk;
}

// ---- history

void print_history(const std::vector<delta::CommitSummary>& history) {
  fmt::print("{:>8}  {:<24}  {:<16}  {:>7}  {:>9}  {:>7}  {}\n", "version", "time", "operation", "files+", "rows+",
             "files-", "by");
  for (const delta::CommitSummary& commit : history) {
    fmt::print("{:>8}  {:<24}  {:<16}  {:>7}  {:>9}  {:>7}  {}\n", commit.version.value(), format_iso8601(commit.time),
               commit.operation, commit.added_files, human_count(commit.added_rows), commit.removed_files,
               commit.engine);
  }
}

void print_history_json(const std::vector<delta::CommitSummary>& history) {
  JsonWriter json;
  json.begin_array();
  for (const delta::CommitSummary& commit : history) {
    json.begin_object().key("version").integer(commit.version.value()).key("time").string(format_iso8601(commit.time));
    json.key("operation").string(commit.operation).key("engine").string(commit.engine);
    json.key("parameters").begin_object();
    for (const auto& [key, value] : commit.parameters) json.key(key).string(value);
    json.end_object();
    json.key("added_files").integer(commit.added_files).key("added_rows").integer(commit.added_rows);
    json.key("added_bytes").integer(static_cast<std::int64_t>(commit.added_bytes));
    json.key("removed_files").integer(commit.removed_files);
    json.key("removed_bytes").integer(static_cast<std::int64_t>(commit.removed_bytes));
    json.key("data_change").boolean(commit.data_change).end_object();
  }
  json.end_array();
  fmt::print("{}\n", std::move(json).take());
}

Result<ExitCode> history(Environment& environment, const MaintenanceOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY(chosen(*stores, options));
  TRY_ASSIGN(const auto commits, delta::read_history(*stores->tables, *stores->engine, options.table, options.limit));
  (options.format == "json" ? print_history_json : print_history)(commits);
  return kOk;
}

// ---- optimize, vacuum, check: of one table or all

Result<ExitCode> optimize(Environment& environment, const MaintenanceOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto names, chosen(*stores, options));
  Workbench bench(environment);
  const auto context = bench.context(*stores);
  delta::OptimizeOptions how;
  how.target = ByteCount(static_cast<std::uint64_t>(options.target_mib) << 20);
  how.least_files = 2;
  for (const std::string& name : names) {
    TRY_ASSIGN(const auto snapshot, delta::read_snapshot(*stores->tables, *stores->engine, name));
    const delta::TableSpec spec{
        .name = name, .schema = snapshot.schema, .partition_columns = snapshot.partition_columns};
    TRY_ASSIGN(const auto table, delta::open_table(context, spec));
    TRY_ASSIGN(const auto report, delta::optimize(*table, context, name, how, environment.stop));
    if (report.commits == 0) {
      fmt::print("{}: nothing to put together\n", name);
    } else {
      fmt::print("{}: {} files ({}) became {} ({})\n", name, report.removed_files, human_bytes(report.removed_bytes),
                 report.added_files, human_bytes(report.added_bytes));
    }
    if (report.conflicts > 0) {
      fmt::print("{}: {} rewrites were given up, another process was faster\n", name, report.conflicts);
    }
    if (environment.stop.stop_requested()) return kInterrupted;
  }
  fmt::print("The old files stay for readers of older versions until `{} tables vacuum` takes them.\n",
             environment.program);
  return kOk;
}

Result<ExitCode> vacuum(Environment& environment, const MaintenanceOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto names, chosen(*stores, options));
  Workbench bench(environment);
  delta::VacuumOptions how;
  if (options.retention_hours) how.retention = std::chrono::hours(*options.retention_hours);
  how.allow_short = options.allow_short;
  how.dry_run = options.dry_run;
  for (const std::string& name : names) {
    TRY_ASSIGN(const auto report, delta::vacuum(bench.context(*stores), name, how));
    fmt::print("{}: {} {} files ({}), {} younger ones stay\n", name, options.dry_run ? "would remove" : "removed",
               report.files.size(), human_bytes(report.bytes), report.kept);
    if (!options.dry_run) continue;
    for (const std::string& file : report.files) fmt::print("  {}\n", file);
  }
  return kOk;
}

Result<ExitCode> check(Environment& environment, const MaintenanceOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto names, chosen(*stores, options));
  std::size_t wrong = 0;
  for (const std::string& name : names) {
    TRY_ASSIGN(const auto report, delta::check_table(*stores->tables, *stores->engine, name));
    fmt::print("{}: commits {} to {}, {} checkpoints, {} files, {} rows: {}\n", name, report.first.value(),
               report.last.value(), report.checkpoints, report.files, human_count(report.rows),
               report.findings.empty() ? "sound" : "WRONG");
    for (const delta::CheckFinding& finding : report.findings) fmt::print("  {} {}\n", finding.file, finding.what);
    wrong += report.findings.size();
  }
  return wrong == 0 ? kOk : kStorage;
}

}  // namespace

void add_table_maintenance(CLI::App& tables, Action& selected) {
  auto options = std::make_shared<MaintenanceOptions>();  // Shared with the callbacks that outlive this call.
  using Run = Result<ExitCode> (*)(Environment&, const MaintenanceOptions&);
  const auto add = [&](const std::string& name, const std::string& help, Run run) {
    CLI::App* command = tables.add_subcommand(name, help);
    command->callback([&selected, options, run] {
      selected = [options, run](Environment& environment) { return run(environment, *options); };
    });
    return command;
  };
  const auto add_format = [&](CLI::App* command) {
    command->add_option("--format", options->format, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
  };

  CLI::App* describing = add("describe", "Columns, size and source positions of a table", describe);
  describing->add_option("TABLE", options->table, "Its name")->required();
  describing->add_option("--version", options->version, "As it was in this version")->check(CLI::NonNegativeNumber);
  add_format(describing);

  CLI::App* telling = add("history", "The commits of a table, newest first", history);
  telling->add_option("TABLE", options->table, "Its name")->required();
  telling->add_option("--limit", options->limit, "How many")->capture_default_str()->check(CLI::PositiveNumber);
  add_format(telling);

  CLI::App* packing = add("optimize", "Puts small files together; readers and writers go on meanwhile", optimize);
  packing->add_option("TABLE", options->table, "Its name; without it, all tables");
  packing->add_option("--target", options->target_mib, "MiB that a file should come to")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));

  CLI::App* clearing = add("vacuum", "Removes files that no version of the last days needs", vacuum);
  clearing->add_option("TABLE", options->table, "Its name; without it, all tables");
  clearing->add_option("--retention", options->retention_hours, "Hours, instead of what the table says (168)")
      ->check(CLI::NonNegativeNumber);
  clearing->add_flag("--allow-short", options->allow_short,
                     "Allow less than 168 hours: no reader uses an older version and no writer is at work");
  clearing->add_flag("--dry-run", options->dry_run, "Say what would go, and remove nothing");
  clearing->footer("Example:\n  pinflow tables vacuum --dry-run");

  CLI::App* checking =
      add("check", "Holds log and files of a table against the specification of Delta; changes nothing", check);
  checking->add_option("TABLE", options->table, "Its name; without it, all tables");
  checking->footer("Exit code 0: sound; 6: something is wrong, and named.");
}

}  // namespace pinflow::app
