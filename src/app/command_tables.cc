#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/stores.h"
#include "app/terminal.h"
#include "base/json.h"
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

Result<ExitCode> tables(Environment& environment, const std::string& format) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto names, delta::list_tables(*stores->tables));
  std::vector<Row> rows;
  for (const std::string& name : names) {
    TRY_ASSIGN(auto snapshot, delta::read_snapshot(*stores->tables, *stores->engine, name));
    rows.push_back({name, std::move(snapshot)});
  }
  if (rows.empty() && format == "table") {
    fmt::print("No tables in {} yet: `pinflow up` makes the streamed ones, `pinflow batch run` the others.\n",
               environment.folder("tables").string());
    return kOk;
  }
  (format == "json" ? print_json : print_table)(rows);
  return kOk;
}

}  // namespace

void add_tables(CLI::App& root, Action& selected) {
  auto format = std::make_shared<std::string>("table");  // Shared with the callback that outlives this call.
  CLI::App* command = root.add_subcommand("tables", "Lists the tables with version, rows, files and size");
  command->add_option("--format", *format, "table or json")->check(CLI::IsMember({"table", "json"}))->capture_default_str();
  command->footer("Examples:\n  pinflow tables\n  pinflow tables --data my-data --format json");
  command->callback([&selected, format] {
    selected = [format](Environment& environment) { return tables(environment, *format); };
  });
}

}  // namespace pinflow::app
