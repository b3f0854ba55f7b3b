#include "schedule/run_metrics.h"

#include "schedule/run_json.h"

namespace pinflow::schedule {

namespace {

std::int64_t seconds_of(WallTime at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

}  // namespace

void write_run_metrics(doors::MetricsWriter& out, const RunStatus& status, const Rules& rules, WallTime now) {
  using enum doors::MetricsWriter::Type;
  out.family("pinflow_runs", kGauge, "Runs of the batch in the history, by state.");
  for (const RunState state : kStates)
    out.sample({{"state", to_string(state)}}, status.runs[static_cast<std::size_t>(state)]);
  if (status.last_success) {
    out.family("pinflow_run_last_success_timestamp_seconds", kGauge,
               "When the last run that succeeded ended, in seconds since 1970.")
        .sample({}, seconds_of(*status.last_success));
  }
  if (status.last_duration) {
    out.family("pinflow_run_last_duration_milliseconds", kGauge, "How long the last attempt of a run took.")
        .sample({}, std::int64_t{status.last_duration->count()});
  }
  out.family("pinflow_schedule_paused", kGauge, "1: the schedule is paused, and nothing runs by itself.")
      .sample({}, std::int64_t{status.paused});
  if (const auto next = next_times(rules, now, 1); !next.empty()) {
    out.family("pinflow_schedule_next_timestamp_seconds", kGauge,
               "When the schedule runs something next, unless it is paused, in seconds since 1970.")
        .sample({}, seconds_of(next.front()));
  }
}

}  // namespace pinflow::schedule
