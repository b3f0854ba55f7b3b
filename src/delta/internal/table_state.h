#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "delta/internal/transaction_log.h"
#include "delta/table.h"

namespace pinflow::delta::internal {

// What all actions up to a version come to: the same whether replayed from commits, from a checkpoint, or
// applied one by one as they are written. A value type; apply() is the only way in which it changes.
struct TableState {
  Snapshot snapshot;
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::map<std::string, Remove> tombstones;        // Removed files by path, until expired.
  std::map<std::string, std::int64_t> updated_ms;  // When each of snapshot.transactions moved.

  // Applies one commit, whole or, with an error, not at all. kInvalid: the table asks for what we cannot read
  // (named).
  Result<void> apply(Version version, const Commit& commit);
  // After the last commit: kCorrupt where protocol or metaData never came.
  Result<void> check_complete() const;
  // Forgets removed files older than `horizon`, which no reader may want any more.
  void expire_tombstones(WallTime horizon);
};

// Finds our own commit by its txnId, or nothing.
bool is_commit_of(const Commit& commit, std::string_view transaction_id);

}  // namespace pinflow::delta::internal
