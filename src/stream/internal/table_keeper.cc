#include "stream/internal/table_keeper.h"

#include <algorithm>

#include "delta/maintenance.h"

namespace pinflow::stream::internal {

TableKeeper::TableKeeper(const StreamOptions& options, const StreamContext& context, Random random)
    : context_(context), random_(random) {
  const auto keep = [&](const std::string& table, records::Kind kind) {
    tables_.try_emplace(table, Kept{{options.names.stream(kind), log::PartitionId(0)}, nullptr, {}});
  };
  for (const records::Kind kind : records::kKinds) keep(options.names.table(kind), kind);
  keep(options.dead_letters, records::Kind::kPin);
}

bool TableKeeper::is_ours(const log::TopicPartition& partition) const {
  return context_.share == nullptr || std::ranges::binary_search(context_.share->assignment().partitions, partition);
}

void TableKeeper::look_after(const std::stop_token& stop) {
  for (auto& [name, kept] : tables_) {
    if (stop.stop_requested()) return;
    if (!is_ours(kept.of)) continue;
    const auto done = look_after(name, kept, stop);
    if (done || done.error().code == ErrorCode::kNotFound) continue;  // The lane has not made it yet.
    kept.table.reset();
    context_.logger.warning("A table was not looked after; its small files stay until the next round",
                            {{"table", name}, {"cause", done.error().message}});
  }
}

Result<void> TableKeeper::look_after(const std::string& name, Kept& kept, const std::stop_token& stop) {
  sql::Engine& engine = context_.keeper_engine != nullptr ? *context_.keeper_engine : context_.engine;
  const delta::TableContext context{context_.tables, engine, context_.clock, random_, context_.logger};
  if (kept.table == nullptr) {
    TRY_ASSIGN(const auto snapshot, delta::read_snapshot(context_.tables, engine, name));
    // The lane writes the checkpoints.
    delta::TableSpec spec{.name = name, .schema = snapshot.schema, .checkpoint_interval = 0};
    spec.partition_columns = snapshot.partition_columns;
    TRY_ASSIGN(kept.table, delta::open_table(context, spec));
  } else {
    TRY(kept.table->refresh());
  }
  TRY_ASSIGN(const auto report, delta::optimize(*kept.table, context, name, {}, stop));
  if (report.commits > 0) {
    context_.logger.debug("Small files of a table were put together", {{"table", name},
                                                                       {"files", report.removed_files},
                                                                       {"became", report.added_files},
                                                                       {"bytes", report.added_bytes}});
  }
  context_.done(Step::kLookedAfter);
  const auto day = std::chrono::floor<std::chrono::days>(context_.clock.now());
  if (kept.vacuumed == day) return {};
  TRY_ASSIGN(const auto removed, delta::vacuum(context, name, {}));
  kept.vacuumed = day;
  if (!removed.files.empty()) {
    context_.logger.info("Files that no version of a table needs any more were removed",
                         {{"table", name}, {"files", removed.files.size()}, {"bytes", removed.bytes}});
  }
  return {};
}

}  // namespace pinflow::stream::internal
