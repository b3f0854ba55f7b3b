#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/posting.h"
#include "app/terminal.h"
#include "emulator/source.h"

namespace pinflow::app {

namespace {

struct SourceOptions {
  std::string url;
  std::string folder;
  std::int64_t posts = 11'154;
  std::uint64_t seed = 1;
  bool replace = false;
};

// The place of the source, its folder made where it is a file.
Result<std::string> place_of(Environment& environment, const SourceOptions& options) {
  const std::string place = options.url.empty() ? default_source(environment) : options.url;
  if (!emulator::is_database_url(place)) {
    const disk::Path folder = disk::Path(place).parent_path();
    if (!folder.empty()) TRY(environment.disk->create_folders(folder));
  }
  return place;
}

emulator::FillOptions fill_options(Environment& environment, const SourceOptions& options, ProgressLine& line,
                                   std::string_view what, std::int64_t total) {
  emulator::FillOptions fill;
  fill.replace = options.replace;
  fill.stop = environment.stop;
  fill.progress = [&line, what, total](std::int64_t rows) { line.show(what, rows, total); };
  return fill;
}

Result<ExitCode> create(Environment& environment, const SourceOptions& options) {
  TRY_ASSIGN(const std::string place, place_of(environment, options));
  ProgressLine line(environment.clock, environment.quiet);
  TRY_ASSIGN(const auto extent,
             emulator::create_source(place, {options.seed, options.posts},
                                     fill_options(environment, options, line, "posts made", options.posts)));
  line.clear();
  fmt::print("{} synthetic posts in pinterest_data, geolocation_data and user_data of {}\n", human_count(extent.posts),
             options.url.empty() ? place : "the database");
  return kOk;
}

Result<ExitCode> import(Environment& environment, const SourceOptions& options) {
  TRY_ASSIGN(const std::string place, place_of(environment, options));
  ProgressLine line(environment.clock, environment.quiet);
  TRY_ASSIGN(const auto report,
             emulator::import_source(place, options.folder, fill_options(environment, options, line, "lines read", 0)));
  line.clear();
  for (std::size_t i = 0; i < records::kKinds.size(); ++i) {
    fmt::print("{:<5} {} rows\n", records::to_string(records::kKinds[i]), human_count(report.rows[i]));
  }
  if (report.refused == 0) return kOk;
  fmt::print("{} lines are no record of their kind and were left out:\n", human_count(report.refused));
  for (const std::string& reason : report.reasons) fmt::print("  {}\n", reason);
  return kFailed;
}

}  // namespace

void add_source(CLI::App& root, Action& selected) {
  auto options = std::make_shared<SourceOptions>();  // Shared with the callbacks that outlive this call.
  CLI::App* source = root.add_subcommand("source", "Makes the tables that the emulator posts from");
  source->require_subcommand(1);
  source->footer("Examples:\n  pinflow source create --posts 100000\n  pinflow source import my-rows");
  const auto add_shared = [options](CLI::App* command) {
    command->add_option("--url", options->url,
                        "DuckDB file or mysql://user[:password]@host[:port]/database (default: source.duckdb "
                        "of the data folder; a password is better kept in PINFLOW_SOURCE_PASSWORD)");
    command->add_flag("--replace", options->replace, "Replaces tables that are there");
  };
  CLI::App* create_command = source->add_subcommand("create", "Makes the synthetic data set");
  add_shared(create_command);
  create_command->add_option("--posts", options->posts, "Posts to make")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  create_command->add_option("--seed", options->seed, "The same seed and number of posts give the same data")
      ->capture_default_str();
  create_command->footer(
      "Examples:\n"
      "  pinflow source create\n"
      "  pinflow source create --posts 1000000 --seed 7 --data big\n"
      "  PINFLOW_SOURCE_PASSWORD=... pinflow source create --url mysql://pinflow@127.0.0.1:3306/pins");
  create_command->callback([&selected, options] {
    selected = [options](Environment& environment) { return create(environment, *options); };
  });
  CLI::App* import_command =
      source->add_subcommand("import", "Loads your own rows from pin.jsonl, geo.jsonl and user.jsonl of a folder");
  import_command->add_option("folder", options->folder, "Folder of the files, one JSON record a line")->required();
  add_shared(import_command);
  import_command->footer(
      "Examples:\n  pinflow source import my-rows\n  pinflow source import my-rows --replace --data my-data");
  import_command->callback([&selected, options] {
    selected = [options](Environment& environment) { return import(environment, *options); };
  });
}

}  // namespace pinflow::app
