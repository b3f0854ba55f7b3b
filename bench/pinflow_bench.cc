// Measures the pinflow program as its users run it: as a process, by HTTP and command line, on data folders of its own.
// README.md of this folder says how each figure is made.

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdlib.h>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "scenarios.h"

namespace pinflow::bench {
namespace {

struct Scenario {
  std::string_view name;
  Result<void> (*measure)(const Plan&, Report&);
};
constexpr std::array<Scenario, 6> kScenarios = {{{"start", measure_start},
                                                 {"posting", measure_posting},
                                                 {"stream", measure_stream},
                                                 {"batch", measure_batch},
                                                 {"freshness", measure_freshness},
                                                 {"ranking", measure_ranking}}};

constexpr std::string_view kUsage =
    R"(Usage: pinflow_bench [--pinflow PROGRAM] [--small] [--only NAMES] [--runs N] [--json FILE] [--folder DIR]

  --pinflow PROGRAM  what to measure (default: ../pinflow beside this program)
  --small            skip the batch of a million posts, fill less, post for one second
  --only NAMES       of: start,posting,stream,batch,freshness,ranking
  --runs N           runs of each measurement, 1 to 20 (default 3)
  --json FILE        write all figures there too
  --folder DIR       where to make data folders (default: beside this program); it decides which disk is measured

Exit codes: 0 done, 1 a measurement failed or its outcome was wrong, 2 usage.
)";

struct Options {
  Plan plan;
  std::string only;
  std::string json;
  std::string folder;
};

bool known_scenarios(std::string_view names) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    if (std::ranges::find(kScenarios, name, &Scenario::name) == kScenarios.end()) return false;
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return true;
}

bool chosen(std::string_view only, std::string_view name) {
  return only.empty() || fmt::format(",{},", only).find(fmt::format(",{},", name)) != std::string::npos;
}

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  const std::filesystem::path own_folder = std::filesystem::absolute(argv[0]).parent_path();
  options.plan.program = own_folder / ".." / "pinflow";
  options.folder = own_folder.string();
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--small") {
      options.plan.small = true;
      options.plan.load_duration = std::chrono::milliseconds(1'000);
      continue;
    }
    if (i + 1 >= argc) return std::nullopt;
    const std::string_view value = argv[++i];
    if (word == "--pinflow") {
      options.plan.program = value;
    } else if (word == "--only" && known_scenarios(value)) {
      options.only = value;
    } else if (word == "--json") {
      options.json = value;
    } else if (word == "--folder") {
      options.folder = value;
    } else if (word == "--runs") {
      std::from_chars(value.data(), value.data() + value.size(), options.plan.runs);
      if (options.plan.runs < 1 || options.plan.runs > 20) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int run(Options options) {
  std::string folder = (std::filesystem::absolute(options.folder) / "pinflow-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    fmt::print(stderr, "pinflow_bench: cannot make a folder in {}; choose another with --folder\n", options.folder);
    return 1;
  }
  options.plan.folder = folder;
  bool failed = false;
  {
    Report report(folder);
    for (const Scenario& scenario : kScenarios) {
      if (!chosen(options.only, scenario.name)) continue;
      if (const auto done = scenario.measure(options.plan, report); !done)
        report.fail(scenario.name, done.error().message);
    }
    failed = report.failed();
    if (!options.json.empty()) {
      if (const auto written = report.write_json(options.json); !written) {
        fmt::print(stderr, "pinflow_bench: {}\n", written.error().message);
        failed = true;
      }
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace pinflow::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = pinflow::bench::read_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "{}", pinflow::bench::kUsage);
    return 2;
  }
  if (::access(options->plan.program.c_str(), X_OK) != 0) {
    fmt::print(stderr, "pinflow_bench: {} is no program; name it with --pinflow\n", options->plan.program.string());
    return 2;
  }
  return pinflow::bench::run(*options);
}
