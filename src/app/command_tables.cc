#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/stores.h"
#include "app/table_list.h"
#include "app/table_maintenance.h"
#include "app/table_replay.h"
#include "app/table_views.h"
#include "app/terminal.h"
#include "base/json.h"
#include "delta/fingerprint.h"
#include "delta/table.h"

namespace pinflow::app {

namespace {

struct Row {
  std::string name;
  delta::Snapshot snapshot;
};

void print_table(const std::vector<Row>& rows) {
  std::size_t width = 5;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  fmt::print("{:<{}}  {:>8}  {:>12}  {:>6}  {:>9}\n", "table", width, "version", "rows", "files", "size");
  for (const Row& row : rows) {
    fmt::print("{:<{}}  {:>8}  {:>12}  {:>6}  {:>9}\n", row.name, width, row.snapshot.version.value(),
               human_count(row.snapshot.rows()), row.snapshot.files.size(), human_bytes(row.snapshot.bytes()));
  }
}

void print_json(const std::vector<Row>& rows) {
  JsonWriter json;
  json.begin_array();
  for (const Row& row : rows) {
    json.begin_object().key("table").string(row.name).key("version").integer(row.snapshot.version.value());
    json.key("rows").integer(row.snapshot.rows());
    json.key("files").integer(static_cast<std::int64_t>(row.snapshot.files.size()));
    json.key("bytes").integer(static_cast<std::int64_t>(row.snapshot.bytes())).end_object();
  }
  json.end_array();
  fmt::print("{}\n", std::move(json).take());
}

Result<std::vector<Row>> read_all(Stores& stores) {
  TRY_ASSIGN(const auto names, delta::list_tables(*stores.tables));
  std::vector<Row> rows;
  for (const std::string& name : names) {
    TRY_ASSIGN(auto snapshot, delta::read_snapshot(*stores.tables, *stores.engine, name));
    rows.push_back({name, std::move(snapshot)});
  }
  return rows;
}

// One line a table that any reader of the table can compute as well: docs/formats/delta.md.
Result<void> print_fingerprints(Stores& stores) {
  TRY_ASSIGN(const auto names, delta::list_tables(*stores.tables));
  for (const std::string& name : names) {
    TRY_ASSIGN(const std::string line, delta::fingerprint(*stores.tables, *stores.engine, name));
    fmt::print("{}\n", line);
  }
  return {};
}

struct TablesOptions {
  std::string format = "table";
  bool fingerprint = false;
};

Result<ExitCode> tables(Environment& environment, const TablesOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  if (options.fingerprint) {
    TRY(print_fingerprints(*stores));
    return kOk;
  }
  TRY_ASSIGN(const auto rows, read_all(*stores));
  if (rows.empty() && options.format == "table") {
    fmt::print("No tables in {} yet: `pinflow up` makes the streamed ones, `pinflow batch run` the others.\n",
               environment.config().data.tables.empty() ? environment.folder("tables").string()
                                                        : environment.config().data.tables);
    return kOk;
  }
  (options.format == "json" ? print_json : print_table)(rows);
  return kOk;
}

}  // namespace

Result<void> print_tables(Stores& stores) {
  TRY_ASSIGN(const auto rows, read_all(stores));
  print_table(rows);
  return {};
}

void add_tables(CLI::App& root, Action& selected) {
  auto options = std::make_shared<TablesOptions>();  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand("tables", "Lists the Delta tables, and looks after them");
  command->require_subcommand(0, 1);
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_flag(
      "--fingerprint", options->fingerprint,
      "One JSON line a table: rows, nulls and a checksum of each column, whatever the order and the files of the rows");
  command->footer(
      "Examples:\n"
      "  pinflow tables\n"
      "  pinflow tables --data my-data --format json\n"
      "  pinflow tables --fingerprint > before.txt\n"
      "  pinflow tables history pinterest_pin_table");
  // Runs after those of the commands below it, which then have chosen already.
  command->final_callback([&selected, options, command] {
    if (!command->get_subcommands().empty()) return;
    selected = [options](Environment& environment) { return tables(environment, *options); };
  });
  add_table_maintenance(*command, selected);
  add_table_replay(*command, selected);
  add_table_views(*command, selected);
}

}  // namespace pinflow::app
