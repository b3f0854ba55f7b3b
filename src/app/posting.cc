#include "app/posting.h"

#include <cstdlib>

#include <fmt/core.h>

namespace pinflow::app {

namespace {

// A server that is not there at all is told at once; one that goes away later is waited for with back-off.
Result<void> find_door(const emulator::EmulatorOptions& options) {
  if (options.targets == std::vector{emulator::Target::kConsole}) return {};
  http::Request request;
  request.method = "GET";
  request.target = "/topics";
  const auto answer = http::make_client(options.url, options.timeout, options.authority)->send(request);
  if (answer || answer.error().code != ErrorCode::kUnavailable) return {};
  return fail(
      ErrorCode::kUnavailable,
      fmt::format("{}. Start `pinflow up` first, or name another front door with --url.", answer.error().message));
}

}  // namespace

std::string default_source(const Environment& environment) {
  return environment.folder("source.duckdb").string();
}

std::string posting_token() {
  const char* const token = std::getenv("PINFLOW_TOKEN");
  return token == nullptr ? std::string() : std::string(token);
}

Result<emulator::EmulatorReport> post(Environment& environment, const std::string& source,
                                      emulator::EmulatorOptions options) {
  TRY_ASSIGN(const auto posts, emulator::open_source(source));
  TRY(find_door(options));
  ProgressLine line(environment.clock, environment.quiet);
  options.names.prefix = environment.config().topics.prefix;
  options.progress = [&line](const emulator::Progress& progress) {
    line.show("posts sent", progress.posts, progress.total.value_or(0));
  };
  const auto sleeper = emulator::make_sleeper();
  return emulator::emulate(*posts, options, environment.clock, *sleeper, environment.stop);
}

void print_report(const emulator::EmulatorReport& report, const std::vector<emulator::Target>& targets,
                  std::FILE* stream) {
  const double seconds = std::max(0.001, static_cast<double>(report.took.count()) / 1000);
  for (const emulator::Target target : targets) {
    const emulator::TargetCounts& counts = report.of(target);
    fmt::print(stream, "{:<8} {} records posted, {} acknowledged", emulator::to_string(target),
               human_count(counts.posted), human_count(counts.acknowledged));
    if (counts.retried > 0) fmt::print(stream, ", {} requests repeated", human_count(counts.retried));
    if (counts.refused > 0) fmt::print(stream, ", {} REFUSED", human_count(counts.refused));
    if (counts.failed > 0) fmt::print(stream, ", {} FAILED", human_count(counts.failed));
    fmt::print(stream, "\n");
  }
  fmt::print(stream, "{} posts, {} of them wholly acknowledged, in {:.1f} s\n", human_count(report.posts),
             human_count(report.done), seconds);
  for (const std::string& problem : report.problems) fmt::print(stream, "  problem: {}\n", problem);
}

}  // namespace pinflow::app
