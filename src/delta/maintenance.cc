#include "delta/maintenance.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "delta/internal/log_reader.h"
#include "delta/internal/paths.h"
#include "delta/internal/properties.h"
#include "delta/internal/schema.h"

namespace pinflow::delta {

namespace {

using namespace internal;

// Bounds the statement that reads the files of one rewrite.
constexpr std::size_t kMostFilesAtOnce = 1'000;
constexpr std::uint64_t kSmallestStep = std::uint64_t{64} << 10;
constexpr std::size_t kSteps = 16;

struct Candidate {
  std::string path;
  std::uint64_t size = 0;
  WallTime modified;
};

std::size_t step_of(std::uint64_t size) {
  std::size_t step = 0;
  for (std::uint64_t bound = kSmallestStep; size > bound && step + 1 < kSteps; bound *= 4) ++step;
  return step;
}

// Cuts files of one step, oldest first, into groups that come to the target.
void group(std::vector<Candidate> files, const OptimizeOptions& options,
           std::vector<std::vector<std::string>>& groups) {
  std::ranges::sort(files, {}, [](const Candidate& file) { return std::pair(file.modified, file.path); });
  std::vector<std::string> paths;
  std::uint64_t size = 0;
  std::size_t left = files.size();
  const auto close = [&] {
    if (paths.size() >= 2) groups.push_back(std::move(paths));
    paths.clear();
    size = 0;
  };
  for (const Candidate& file : files) {
    // What is left must be worth a rewrite of its own, unless it fills up the group that is begun.
    if (paths.empty() && left < options.least_files) return;
    paths.push_back(file.path);
    size += file.size;
    --left;
    if (size >= options.target.count() || paths.size() == kMostFilesAtOnce) close();
  }
  close();
}

std::vector<std::vector<std::string>> plan(const Snapshot& snapshot, const OptimizeOptions& options) {
  // Files of one partition only, and of one step.
  std::map<std::pair<PartitionValues, std::size_t>, std::vector<Candidate>> steps;
  for (const auto& [path, file] : snapshot.files) {
    if (file.size >= options.target.count() / 2) continue;
    // With the least that makes sense, sizes do not matter: all that is small goes together.
    const std::size_t step = options.least_files <= 2 ? 0 : step_of(file.size);
    steps[{file.partition_values, step}].push_back({path, file.size, file.modified});
  }
  std::vector<std::vector<std::string>> groups;
  for (auto& [place, files] : steps) group(std::move(files), options, groups);
  return groups;
}

std::optional<std::string> hidden_part(std::string_view path) {
  while (true) {
    if (path.starts_with('_') || path.starts_with('.')) return std::string(path);
    const std::size_t slash = path.find('/');
    if (slash == path.npos) return std::nullopt;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<OptimizeReport> optimize(Table& table, const TableContext& context, const std::string& name,
                                const OptimizeOptions& options, const std::stop_token& stop) {
  OptimizeReport report;
  TRY_ASSIGN(const auto session, context.engine.connect());
  for (const auto& paths : plan(table.snapshot(), options)) {
    if (stop.stop_requested()) break;
    const auto& live = table.snapshot().files;
    if (!std::ranges::all_of(paths, [&](const std::string& path) { return live.contains(path); })) {
      ++report.conflicts;  // A commit of ours met that of another who rewrote them.
      continue;
    }
    std::uint64_t bytes = 0;
    for (const std::string& path : paths) bytes += live.at(path).size;
    TRY_ASSIGN(const std::string select, select_files(context.store, name, table.snapshot(), paths));
    TRY_ASSIGN(const auto files, table.write_files(*session, select));
    const auto done = table.rewrite(paths, files);
    if (!done && done.error().code != ErrorCode::kUnknownOutcome) {
      for (const DataFile& lost : files) table.discard(lost);
    }
    if (!done && done.error().code == ErrorCode::kConflict) {
      ++report.conflicts;
      continue;
    }
    if (!done) return fail(done.error());
    ++report.commits;
    report.removed_files += paths.size();
    report.removed_bytes += bytes;
    report.added_files += files.size();
    for (const DataFile& added : files) report.added_bytes += added.size;
  }
  return report;
}

Result<VacuumReport> vacuum(const TableContext& context, const std::string& name, const VacuumOptions& options) {
  auto loaded = LogReader(context.store, context.engine, name).load();
  if (!loaded) return fail(std::move(loaded.error()).with_context("table " + name));
  const TableState& state = *loaded;
  TRY(check_writable(*state.protocol, *state.metadata));
  const auto own =
      interval_property(state.metadata->configuration, "delta.deletedFileRetentionDuration", kDeletedFileRetention);
  const auto retention = options.retention.value_or(own);
  if (retention < kDeletedFileRetention && !options.allow_short) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a retention of {} h is below the 168 h within which readers of older versions and writers "
                            "that are about to commit may still use a file; allow it only where there are none",
                            std::chrono::duration_cast<std::chrono::hours>(retention).count()));
  }
  const WallTime horizon = context.clock.now() - retention;
  std::set<std::string> needed;
  for (const auto& [path, file] : state.snapshot.files) needed.insert(decode_path(path));
  for (const auto& [path, remove] : state.tombstones) {
    if (remove.deletion_ms > horizon.time_since_epoch().count()) needed.insert(decode_path(path));
  }
  const std::string folder = name + "/";
  TRY_ASSIGN(const auto objects, context.store.list(folder));
  VacuumReport report;
  for (const objects::ObjectInfo& object : objects) {
    const std::string below = object.name.substr(folder.size());
    if (hidden_part(below) || needed.contains(below)) continue;
    if (object.modified >= horizon) {
      ++report.kept;
      continue;
    }
    if (!options.dry_run) TRY(context.store.remove(object.name));
    report.bytes += object.size;
    report.files.push_back(below);
  }
  return report;
}

}  // namespace pinflow::delta
