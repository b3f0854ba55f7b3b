#include "delta/internal/log_cleanup.h"

#include <algorithm>
#include <map>
#include <optional>

#include "delta/internal/properties.h"

namespace pinflow::delta::internal {

namespace {

// The newest complete checkpoint at or below a version.
std::optional<Version> newest_checkpoint(const std::vector<LogName>& names, Version last) {
  std::optional<Version> newest;
  std::map<std::pair<Version, std::int64_t>, std::int64_t> parts;
  for (const LogName& name : names) {
    if (name.version > last) continue;
    const bool whole = name.kind == LogName::Kind::kCheckpoint || (name.kind == LogName::Kind::kCheckpointPart &&
                                                                   ++parts[{name.version, name.parts}] == name.parts);
    if (whole && (!newest || name.version > *newest)) newest = name.version;
  }
  return newest;
}

}  // namespace

Result<std::size_t> clean_log(objects::ObjectStore& store, const std::string& name, const Metadata& metadata,
                              WallTime now) {
  if (!flag_property(metadata.configuration, "delta.enableExpiredLogCleanup", true)) return 0;
  const auto retention = interval_property(metadata.configuration, "delta.logRetentionDuration", kLogRetention);
  const WallTime cut = std::chrono::floor<std::chrono::days>(now - retention);
  const std::string folder = name + "/" + std::string(kLogFolder);
  TRY_ASSIGN(const auto objects, store.list(folder));
  std::vector<LogName> names;
  std::optional<Version> last_old;
  for (const objects::ObjectInfo& object : objects) {
    const auto parsed = parse_log_name(std::string_view(object.name).substr(folder.size()));
    if (!parsed) continue;
    names.push_back(*parsed);
    if (parsed->kind == LogName::Kind::kCommit && object.modified <= cut) last_old = parsed->version;
  }
  if (!last_old) return 0;
  const auto keep_from = newest_checkpoint(names, *last_old);
  if (!keep_from) return 0;
  std::size_t removed = 0;
  for (const objects::ObjectInfo& object :
       objects) {  // By name, hence by version: a stop in the middle leaves no hole behind the cut.
    const std::string_view below = std::string_view(object.name).substr(folder.size());
    // Version checksums and compacted logs of other writers carry the version as well, at their beginning.
    const auto version = leading_version(below);
    if (!version || *version >= *keep_from) continue;
    TRY(store.remove(object.name));
    ++removed;
  }
  return removed;
}

}  // namespace pinflow::delta::internal
