#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/terminal.h"
#include "base/json.h"
#include "log/verify.h"

namespace pinflow::app {

namespace {

struct LogOptions {
  std::string format = "text";
  bool yes = false;
};

std::string place_of(const std::string& topic, std::int32_t partition) {
  if (topic.empty()) return "the log";
  return partition < 0 ? topic : fmt::format("{}-{}", topic, partition);
}

void print_finding(const log::Finding& finding) {
  fmt::print("{} {}: {}, position {}\n", finding.damage ? "DAMAGE" : "note  ",
             place_of(finding.topic, finding.partition), finding.file.string(), finding.position);
  fmt::print("         what: {}\n  consequence: {}\n         mend: {}\n", finding.what, finding.consequence,
             finding.remedy);
}

void print_text(const log::VerifyReport& report) {
  for (const log::Finding& finding : report.findings) print_finding(finding);
  if (report.in_use)
    fmt::print("note   another process has this log open: what it writes just now may look like an unfinished end\n");
  fmt::print("{} topics, {} partitions, {} segments, {} records, {}: {}\n", report.topics, report.partitions,
             report.segments, human_count(report.records), human_bytes(report.bytes),
             report.damaged() ? "damaged" : "sound");
}

void write_finding(JsonWriter& json, const log::Finding& finding) {
  json.begin_object().key("topic").string(finding.topic).key("partition").integer(finding.partition);
  json.key("file").string(finding.file.string());
  json.key("position").integer(static_cast<std::int64_t>(finding.position));
  json.key("damage").boolean(finding.damage);
  json.key("what").string(finding.what).key("consequence").string(finding.consequence);
  json.key("remedy").string(finding.remedy).end_object();
}

void print_json(const log::VerifyReport& report) {
  JsonWriter json;
  json.begin_object().key("topics").integer(static_cast<std::int64_t>(report.topics));
  json.key("partitions").integer(static_cast<std::int64_t>(report.partitions));
  json.key("segments").integer(static_cast<std::int64_t>(report.segments));
  json.key("batches").integer(static_cast<std::int64_t>(report.batches));
  json.key("records").integer(static_cast<std::int64_t>(report.records));
  json.key("bytes").integer(static_cast<std::int64_t>(report.bytes));
  json.key("in_use").boolean(report.in_use).key("damaged").boolean(report.damaged());
  json.key("findings").begin_array();
  for (const log::Finding& finding : report.findings) write_finding(json, finding);
  json.end_array().end_object();
  fmt::print("{}\n", std::move(json).take());
}

Result<ExitCode> verify(Environment& environment, const LogOptions& options) {
  TRY_ASSIGN(const log::VerifyReport report, log::verify_log(environment.folder("log"), *environment.disk));
  (options.format == "json" ? print_json : print_text)(report);
  return report.damaged() ? kStorage : kOk;
}

Result<ExitCode> repair(Environment& environment, const LogOptions& options) {
  const auto mode = options.yes ? log::RepairMode::kDo : log::RepairMode::kPlan;
  TRY_ASSIGN(const log::RepairReport report, log::repair_log(environment.folder("log"), *environment.disk, mode));
  for (const log::RepairStep& step : report.steps)
    fmt::print("{} {}: {}\n", options.yes ? "done" : "plan", place_of(step.topic, step.partition), step.what);
  for (const log::Finding& finding : report.left) print_finding(finding);
  if (report.steps.empty() && report.left.empty()) fmt::print("Nothing to repair.\n");
  if (!report.steps.empty() && !options.yes)
    fmt::print("Nothing was changed. `{} log repair --yes` does it; damaged bytes are copied to {} first.\n",
               environment.program, (environment.folder("log") / "damaged").string());
  return report.left.empty() ? kOk : kStorage;
}

}  // namespace

void add_log(CLI::App& root, Action& selected) {
  auto options = std::make_shared<LogOptions>();  // Shared with the callbacks that outlive this call.
  CLI::App* command = root.add_subcommand("log", "Looks for damage in the log's files, and repairs it");
  command->require_subcommand(1);
  command->fallthrough();

  CLI::App* checking = command->add_subcommand(
      "verify", "Reads the whole log and lists what is damaged, its consequence and how to mend it; changes nothing");
  checking->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  checking->footer(
      "Exit code 0: sound; 6: damaged.\n"
      "Examples:\n"
      "  pinflow log verify\n"
      "  pinflow log verify --data my-data --format json | jq .findings");
  checking->callback([&selected, options] {
    selected = [options](Environment& environment) { return verify(environment, *options); };
  });

  CLI::App* mending = command->add_subcommand(
      "repair", "Sets damaged bytes aside so that their partitions take records again; says what it would do");
  mending->add_flag("--yes", options->yes, "Do it");
  mending->footer(
      "Stop pinflow first. Readable records stay with their offsets; damaged bytes are copied to log/damaged.\n"
      "Examples:\n"
      "  pinflow log repair\n"
      "  pinflow log repair --yes");
  mending->callback([&selected, options] {
    selected = [options](Environment& environment) { return repair(environment, *options); };
  });
}

}  // namespace pinflow::app
