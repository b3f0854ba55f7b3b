#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schedule/rules.h"
#include "schedule/run_store.h"

namespace pinflow::schedule {

// What people ask of a schedule whose runs somebody else executes: a Scheduler of this process (wake it) or of another one. Each is safe
// from any thread, and lasting once it succeeds.

// A manual run, now. kConflict: a run is at work or waits to be, named.
Result<std::uint64_t> ask_for_run(RunStore& store, const Clock& clock);
// One that ended, or that waits for its next attempt, runs now. kNotFound: no such run. kConflict: it waits or is at work already, or
// stands for intervals that were skipped.
Result<void> ask_for_retry(RunStore& store, std::uint64_t run);
// Queues what the plan runs, in its order; gives the numbers of the runs. Of an interval that got a run meanwhile no other is made. An
// error leaves those that are queued already.
Result<std::vector<std::uint64_t>> ask_for_backfill(RunStore& store, const BackfillPlan& plan);
// "2026-11-01", a day of UTC, or a time such as "2026-11-01T06:30:00+01:00". kInvalid names `what` and shows the forms.
Result<WallTime> parse_moment(std::string_view what, const std::string& text);
// "missing", "failed" or "all"; "oldest" or "newest". kInvalid shows them.
Result<BackfillPolicy> parse_policy(std::string_view text);
Result<BackfillOrder> parse_order(std::string_view text);

// False: it was so already.
Result<bool> set_paused(RunStore& store, bool paused);

}  // namespace pinflow::schedule
