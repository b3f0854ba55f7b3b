#include "batch/run_ledger.h"

#include <span>

#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow::batch {

namespace {

void write_counts(JsonWriter& json, const BatchReport& report) {
  json.key("objects").integer(static_cast<std::int64_t>(report.objects));
  json.key("bytes").integer(static_cast<std::int64_t>(report.bytes));
  json.key("kinds").begin_object();
  for (const auto& [kind, counts] : report.kinds) {
    json.key(records::to_string(kind)).begin_object();
    json.key("records").integer(static_cast<std::int64_t>(counts.records));
    json.key("rows").integer(static_cast<std::int64_t>(counts.rows));
    json.key("added").integer(static_cast<std::int64_t>(counts.added));
    json.key("repeats").integer(static_cast<std::int64_t>(counts.repeats));
    json.key("replaced").integer(static_cast<std::int64_t>(counts.replaced));
    json.key("dead_letters").integer(static_cast<std::int64_t>(counts.dead_letters));
    json.end_object();
  }
  json.end_object();
  json.key("tables").begin_object();
  for (const auto& [table, rows] : report.tables) json.key(table).integer(static_cast<std::int64_t>(rows));
  json.end_object();
  json.key("findings").begin_object();
  for (const CheckResult& check : report.checks)
    json.key(check.check).integer(static_cast<std::int64_t>(check.findings));
  json.end_object().key("failures").begin_array();
  for (const StatementFailure& failure : report.failures) {
    json.begin_object()
        .key("statement")
        .string(failure.statement)
        .key("error")
        .string(failure.error.message)
        .end_object();
  }
  json.end_array();
}

}  // namespace

std::string ledger_line(const BatchReport& report, const std::optional<Error>& error) {
  JsonWriter json;
  json.begin_object();
  json.key("version").integer(1);
  json.key("run").string(report.run_id);
  if (!report.label.empty()) json.key("label").string(report.label);
  json.key("started").string(format_iso8601(report.started));
  json.key("took_ms").integer(report.took.count());
  json.key("outcome").string(error ? "failed" : report.published ? "done" : "stopped");
  if (error) {
    json.key("code").string(to_string(error->code));
    json.key("error").string(error->message);
  }
  write_counts(json, report);
  json.key("steps_ms").begin_object();
  for (const auto& [step, took] : report.steps) json.key(step).integer(took.count());
  json.end_object().end_object();
  return std::move(json).take() + "\n";
}

Result<void> append_to_ledger(disk::Disk& disk, const disk::Path& state, std::string_view line) {
  TRY(disk.create_folders(state));
  TRY_ASSIGN(const auto file, disk.open_append(state / "batch_runs.jsonl"));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  char last = '\n';
  if (size > 0) TRY(file->read_at(size - 1, std::span(&last, 1)));
  TRY(file->append(last == '\n' ? std::string(line) : "\n" + std::string(line)));
  TRY(file->sync());
  return disk.sync_folder(state);
}

}  // namespace pinflow::batch
