#include "stream/replay.h"

#include <algorithm>

#include <fmt/format.h>

#include "delta/table.h"
#include "stream/internal/kind_lane.h"

namespace pinflow::stream {

namespace {

// A table that is there already must be this replay's own, begun before.
Result<void> check_table(const std::string& name, const std::string& pipeline, const StreamContext& context) {
  const auto snapshot = delta::read_snapshot(context.tables, context.engine, name);
  if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) return {};
  if (!snapshot) return fail(snapshot.error());
  const bool ours = std::ranges::all_of(snapshot->transactions,
                                        [&](const auto& entry) { return entry.first.starts_with(pipeline + ":"); });
  // Version 0 makes the table: a replay that died then has left no position in it.
  if (ours && (!snapshot->transactions.empty() || snapshot->files.empty())) return {};
  return fail(
      ErrorCode::kInvalid,
      fmt::format("table {} is there already and holds other rows than those of this range; name a new table", name));
}

Result<void> check_names(const ReplayOptions& options, const StreamOptions& lane) {
  for (const records::Kind kind : records::kKinds) {
    if (options.into != lane.names.table(kind)) continue;
    return fail(ErrorCode::kInvalid, fmt::format("table {} is the stream lane's own; name a new table", options.into));
  }
  if (options.into == lane.dead_letters) {
    return fail(ErrorCode::kInvalid, fmt::format("table {} holds the dead letters; name a new table", options.into));
  }
  return {};
}

}  // namespace

Result<ReplayReport> replay(const ReplayOptions& options, StreamOptions lane, const StreamContext& context,
                            Random random, const std::stop_token& stop,
                            const std::function<void(const TableStatus&)>& progress) {
  TRY(check_names(options, lane));
  const std::string stream = lane.names.stream(options.kind);
  if (const auto topic = context.log.topic(stream); !topic) return fail(topic.error());
  // Positions of another range in this table must not be taken for ours.
  lane.pipeline_id = fmt::format("{}:replay {}", lane.pipeline_id, options.range);
  lane.start = options.from;
  lane.dead_letters = options.into + "_dead_letters";
  lane.commit_interval = lane.max_commit_interval = std::chrono::milliseconds(0);
  TRY(check_table(options.into, lane.pipeline_id, context));
  TRY(check_table(lane.dead_letters, lane.pipeline_id, context));

  internal::BatchBudget budget(lane.batch_memory, 1);
  internal::KindLane core(options.kind, lane, context, random, budget, options.into);
  core.stop_at(options.to);
  while (true) {
    core.prepare();
    const TableStatus status = core.status();
    if (progress) progress(status);
    if (core.is_through()) return ReplayReport{status.records, status.dead_letters, status.rows, status.version};
    if (stop.stop_requested())
      return fail(ErrorCode::kCancelled, "the replay was stopped; the same command goes on with it");
    if (!status.error.empty()) return fail(ErrorCode::kUnavailable, status.error);
    for (const PartitionStatus& partition : status.partitions) {
      if (!partition.error.empty()) return fail(ErrorCode::kUnavailable, partition.error);
    }
    core.fetch(stop);
    core.commit();
  }
}

}  // namespace pinflow::stream
