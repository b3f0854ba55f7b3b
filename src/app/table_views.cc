#include "app/table_views.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/stores.h"
#include "records/kind.h"
#include "stream/latest.h"

namespace pinflow::app {

namespace {

struct ViewsCommand {
  std::string engine = "duckdb";
};

Result<ExitCode> views(Environment& environment, const ViewsCommand& command) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  const records::Names names{environment.config().topics.prefix};
  const auto engine = command.engine == "spark" ? stream::ViewEngine::kSpark : stream::ViewEngine::kDuckDb;
  const std::string& place = environment.config().data.tables;  // In S3, or empty.
  const std::string tables = place.empty() ? environment.folder("tables").string() : place;
  std::string statements;
  for (const records::Kind kind : records::kKinds) {
    const std::string table = names.table(kind);
    const auto snapshot = delta::read_snapshot(*stores->tables, *stores->engine, table);
    if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) continue;
    if (!snapshot) return fail(snapshot.error());
    statements += stream::latest_view(engine, names.latest_view(kind), snapshot->schema, tables + "/" + table);
  }
  if (statements.empty()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("no streamed tables are in {} yet: `{} up` makes them", tables, environment.program));
  }
  fmt::print("{}{}", stream::view_prologue(engine), statements);
  return kOk;
}

}  // namespace

void add_table_views(CLI::App& tables, Action& selected) {
  auto options = std::make_shared<ViewsCommand>();  // Shared with the callback that outlives this call.
  CLI::App* command = tables.add_subcommand(
      "views", "SQL that makes views of the streamed tables with one row a post, of repeats the latest");
  command->add_option("--engine", options->engine, "Who shall run it: duckdb or spark")
      ->check(CLI::IsMember({"duckdb", "spark"}))
      ->capture_default_str();
  command->footer(
      "The views are <prefix>_pin_latest, <prefix>_geo_latest and <prefix>_user_latest.\n"
      "Examples:\n"
      "  pinflow tables views > views.sql\n"
      "  pinflow tables views --engine spark > views.sql");
  command->callback([&selected, options] {
    selected = [options](Environment& environment) { return views(environment, *options); };
  });
}

}  // namespace pinflow::app
