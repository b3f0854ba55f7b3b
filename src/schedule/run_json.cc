#include "schedule/run_json.h"

#include "base/check.h"
#include "base/timestamp.h"
#include "schedule/cron_times.h"

namespace pinflow::schedule {

namespace {

void write_time(JsonWriter& json, std::string_view key, const std::optional<WallTime>& at) {
  json.key(key);
  if (at) {
    json.string(format_iso8601(*at));
  } else {
    json.null();
  }
}

void write_counts(JsonWriter& json, std::string_view key, const Report::Counts& counts) {
  json.key(key).begin_object();
  for (const auto& [name, count] : counts) json.key(name).integer(count);
  json.end_object();
}

void write_report(JsonWriter& json, const Report& report) {
  json.begin_object().key("batch_run").string(report.batch_run).key("published").boolean(report.published);
  json.key("objects").integer(report.objects).key("bytes").integer(report.bytes);
  json.key("skipped_objects").integer(report.skipped_objects);
  if (const auto& log = report.log) {
    json.key("log").begin_object().key("offsets").integer(log->offsets).key("taken").integer(log->taken);
    json.key("waiting").integer(log->waiting).key("gone").integer(log->gone).end_object();
  }
  json.key("kinds").begin_object();
  for (const Report::Kind& kind : report.kinds) {
    json.key(kind.kind).begin_object().key("records").integer(kind.records).key("added").integer(kind.added);
    json.key("repeats").integer(kind.repeats).key("replaced").integer(kind.replaced);
    json.key("dead_letters").integer(kind.dead_letters).key("rows").integer(kind.rows).end_object();
  }
  json.end_object();
  write_counts(json, "dead_letter_reasons", report.reasons);
  write_counts(json, "tables", report.tables);
  json.key("checks").begin_object();
  for (const Report::Check& check : report.checks) {
    json.key(check.check).begin_object().key("severity").string(check.stops ? "stop" : "warn");
    json.key("findings").integer(check.findings).end_object();
  }
  json.end_object().key("failures").begin_array();
  for (const Report::Failure& failure : report.failures) {
    json.begin_object().key("statement").string(failure.statement).key("error").string(failure.error).end_object();
  }
  json.end_array().end_object();
}

std::string_view name_of(CatchUp catch_up) {
  switch (catch_up) {
    case CatchUp::kNone:
      return "none";
    case CatchUp::kLatest:
      return "latest";
    case CatchUp::kAll:
      return "all";
  }
  CHECK(false, "a rule of catching up outside its enum");
}

}  // namespace

std::string run_json(const Run& run, RunDetail detail) {
  JsonWriter json;
  json.begin_object();
  json.key("id").integer(static_cast<std::int64_t>(run.id));
  json.key("kind").string(to_string(run.kind));
  json.key("state").string(to_string(run.state));
  write_time(json, "interval_start", run.interval.start);
  write_time(json, "interval_end", run.interval.end);
  json.key("intervals").integer(static_cast<std::int64_t>(run.intervals));
  json.key("attempts").integer(run.attempts);
  write_time(json, "queued", run.queued);
  write_time(json, "started", run.started);
  write_time(json, "ended", run.ended);
  write_time(json, "retry_at", run.retry_at);
  json.key("exit_code").integer(run.outcome.exit_code);
  json.key("message").string(run.outcome.message);
  if (detail == RunDetail::kWhole) {
    json.key("steps_ms").begin_object();
    for (const auto& [name, took] : run.outcome.steps) json.key(name).integer(took.count());
    json.end_object().key("report");
    if (run.outcome.report) {
      write_report(json, *run.outcome.report);
    } else {
      json.null();
    }
  }
  json.end_object();
  return std::move(json).take();
}

std::string schedule_json(const Rules& rules, const History& history, WallTime now, int count) {
  JsonWriter json;
  json.begin_object().key("cron").string(rules.cron.text()).key("timezone").string(rules.zone.name());
  json.key("enabled").boolean(rules.by_itself).key("paused").boolean(history.paused());
  json.key("catch_up").string(name_of(rules.catch_up)).key("retries").integer(rules.retries).key("next").begin_array();
  for (const WallTime at : next_times(rules, now, count)) json.string(format_iso8601(at));
  json.end_array().key("runs").begin_object();
  for (const RunState state : kStates)
    json.key(to_string(state)).integer(static_cast<std::int64_t>(history.count(state)));
  json.end_object();
  const auto write_run = [&json](std::string_view key, const Run* run) {
    json.key(key);
    if (run != nullptr) {
      json.raw(run_json(*run, RunDetail::kBrief));
    } else {
      json.null();
    }
  };
  write_run("running", history.running());
  write_run("last_run", history.runs().empty() ? nullptr : &history.runs().rbegin()->second);
  write_run("last_success", history.last_success());
  json.end_object();
  return std::move(json).take();
}

std::vector<WallTime> next_times(const Rules& rules, WallTime after, int count) {
  std::vector<WallTime> times;
  for (int i = 0; i < count && rules.by_itself; ++i) {
    const auto next = next_after(rules.cron, rules.zone, after);
    if (!next) break;
    times.push_back(*next);
    after = *next;
  }
  return times;
}

}  // namespace pinflow::schedule
