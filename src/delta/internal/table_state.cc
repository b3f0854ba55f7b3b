#include "delta/internal/table_state.h"

#include <algorithm>

#include <fmt/format.h>

#include "delta/internal/partition.h"
#include "delta/internal/schema.h"

namespace pinflow::delta::internal {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

Result<void> TableState::apply(Version version, const Commit& commit) {
  // What can fail comes first, so that a refused commit leaves the state as it was.
  std::optional<Protocol> new_protocol = protocol;
  std::optional<Metadata> new_metadata = metadata;
  for (const Action& action : commit) {
    if (const auto* found = std::get_if<Protocol>(&action)) new_protocol = *found;
    if (const auto* found = std::get_if<Metadata>(&action)) new_metadata = *found;
    if (const auto* add = std::get_if<Add>(&action); add != nullptr && add->has_deletion_vector) {
      return fail(ErrorCode::kInvalid, "the table uses the feature deletionVectors, which pinflow cannot read");
    }
  }
  if (new_protocol && new_metadata && (new_protocol != protocol || new_metadata != metadata)) {
    TRY(check_readable(*new_protocol, *new_metadata));
    bool has_invariants = false;
    TRY_ASSIGN(snapshot.schema, parse_schema(new_metadata->schema, has_invariants));
    snapshot.table_id = new_metadata->id;
    snapshot.partition_columns = new_metadata->partition_columns;
  }
  protocol = std::move(new_protocol);
  metadata = std::move(new_metadata);
  for (const Action& action : commit) {
    std::visit(Overloaded{
                   [](const CommitInfo&) {},
                   [](const Protocol&) {},
                   [](const Metadata&) {},
                   [&](const Txn& txn) {
                     snapshot.transactions[txn.app_id] = txn.version;
                     updated_ms[txn.app_id] = txn.updated_ms;
                   },
                   [&](const Remove& remove) {
                     snapshot.files.erase(remove.path);
                     Remove& tombstone = tombstones[remove.path] = remove;
                     if (!metadata) return;
                     // Who left them out goes on leaving them out.
                     if (!remove.partition_values.empty()) {
                       tombstone.partition_values =
                           complete_values(remove.partition_values, metadata->partition_columns);
                     }
                   },
                   [&](const Add& add) {
                     tombstones.erase(add.file.path);
                     DataFile& file = snapshot.files[add.file.path] = add.file;
                     if (!metadata) return;
                     file.partition_values = complete_values(add.file.partition_values, metadata->partition_columns);
                   },
               },
               action);
  }
  snapshot.version = version;
  return {};
}

Result<void> TableState::check_complete() const {
  if (!protocol)
    return fail(ErrorCode::kCorrupt, "the log holds no protocol action; restore the missing commit or checkpoint");
  if (!metadata)
    return fail(ErrorCode::kCorrupt, "the log holds no metaData action; restore the missing commit or checkpoint");
  return {};
}

void TableState::expire_tombstones(WallTime horizon) {
  std::erase_if(tombstones,
                [&](const auto& entry) { return entry.second.deletion_ms < horizon.time_since_epoch().count(); });
}

bool is_commit_of(const Commit& commit, std::string_view transaction_id) {
  return std::ranges::any_of(commit, [&](const Action& action) {
    const auto* info = std::get_if<CommitInfo>(&action);
    return info != nullptr && info->transaction_id == transaction_id;
  });
}

}  // namespace pinflow::delta::internal

namespace pinflow::delta {

std::int64_t Snapshot::rows() const {
  std::int64_t sum = 0;
  for (const auto& [path, file] : files) sum += file.rows;
  return sum;
}

std::uint64_t Snapshot::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [path, file] : files) sum += file.size;
  return sum;
}

}  // namespace pinflow::delta
