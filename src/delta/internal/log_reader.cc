#include "delta/internal/log_reader.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/timestamp.h"
#include "delta/internal/schema.h"

namespace pinflow::delta::internal {

namespace {

// Actions of a checkpoint come as struct columns; the engine gives each as JSON text, the form that a commit has anyway.
Result<Commit> read_actions(const sql::ResultTable& table) {
  std::string lines;
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto* members = std::get_if<std::string>(&row[i].data);
      if (members == nullptr) continue;
      if (table.columns[i] == "sidecar" || table.columns[i] == "checkpointMetadata") {
        return fail(ErrorCode::kInvalid, "the table uses the feature v2Checkpoint, which pinflow cannot read");
      }
      lines += fmt::format("{{\"{}\":{}}}\n", table.columns[i], *members);
    }
  }
  return parse_commit(lines);
}

// A state asked for by its version must be of that version.
Result<TableState> reaching(Result<TableState> state, std::optional<Version> wanted) {
  if (!state || !wanted || state->snapshot.version == *wanted) return state;
  return fail(ErrorCode::kNotFound,
              fmt::format("there is no version {}; the newest is {}", *wanted, state->snapshot.version));
}

}  // namespace

Result<std::optional<Commit>> LogReader::read_commit(Version version) {
  const auto bytes = store_.get(path(commit_name(version)));
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!bytes) return fail(bytes.error());
  auto commit = parse_commit(*bytes);
  if (!commit) return fail(std::move(commit.error()).with_context(path(commit_name(version))));
  return *std::move(commit);
}

Result<std::vector<Commit>> LogReader::commits_after(Version version) {
  std::vector<Commit> commits;
  while (true) {
    TRY_ASSIGN(auto commit, read_commit(++version));
    if (!commit) return commits;
    commits.push_back(*std::move(commit));
  }
}

Result<TableState> LogReader::read_checkpoint(Version version, std::int64_t parts) {
  std::string files;
  for (std::int64_t part = 1; part <= parts; ++part) {
    const std::string name =
        parts == 1 ? checkpoint_name(version)
                   : fmt::format("{}{:020}.checkpoint.{:010}.{:010}.parquet", kLogFolder, version.value(), part, parts);
    TRY_ASSIGN(const disk::Path local, store_.local_copy(path(name)));
    files += (files.empty() ? "" : ", ") + sql::quote_text(std::filesystem::absolute(local).string());
  }
  TRY_ASSIGN(const auto session, engine_.connect());
  auto table =
      session->query(fmt::format("SELECT COLUMNS('^(protocol|metaData|txn|remove|add|sidecar|checkpointMetadata)$') "
                                 "FROM read_parquet([{}], hive_partitioning = false)",
                                 files));
  if (!table) {
    if (table.error().code == ErrorCode::kInvalid) table.error().code = ErrorCode::kCorrupt;
    return fail(std::move(table.error()).with_context(fmt::format("checkpoint {}", version)));
  }
  auto actions = read_actions(*table);
  if (!actions) return fail(std::move(actions.error()).with_context(fmt::format("checkpoint {}", version)));
  TableState state;
  TRY(state.apply(version, *actions));
  TRY(state.check_complete());
  return state;
}

Result<LogReader::Listing> LogReader::list_log(Version from, std::optional<Version> last) {
  const std::string folder = path(kLogFolder);
  // Names of version `from` sort after its bare digits, those of the versions before do not.
  const std::string after = from.value() <= 0 ? std::string() : folder + fmt::format("{:020}", from.value());
  TRY_ASSIGN(const auto objects, store_.list(folder, after));
  Listing listing;
  std::map<std::pair<Version, std::int64_t>, std::int64_t> parts;
  for (const objects::ObjectInfo& object : objects) {
    const auto name = parse_log_name(std::string_view(object.name).substr(folder.size()));
    if (!name || (last && name->version > *last)) continue;
    switch (name->kind) {
      case LogName::Kind::kCommit:
        listing.commits.push_back(name->version);
        break;
      case LogName::Kind::kCheckpoint:
        listing.checkpoints.emplace_back(name->version, 1);
        break;
      case LogName::Kind::kCheckpointPart:
        if (++parts[{name->version, name->parts}] == name->parts) {
          listing.checkpoints.emplace_back(name->version, name->parts);
        }
        break;
      case LogName::Kind::kCheckpointV2:
        listing.has_v2_checkpoint = true;
        break;
    }
  }
  std::ranges::sort(listing.commits);
  std::ranges::sort(listing.checkpoints);
  return listing;
}

Result<TableState> LogReader::replay(TableState state, const std::vector<Version>& commits) {
  for (const Version version : commits) {
    if (version <= state.snapshot.version) continue;
    if (version != state.snapshot.version + 1) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("commit {} is missing while {} exists", state.snapshot.version + 1, version));
    }
    TRY_ASSIGN(const auto commit, read_commit(version));
    if (!commit) return fail(ErrorCode::kCorrupt, fmt::format("commit {} vanished while it was read", version));
    TRY(state.apply(version, *commit));
  }
  TRY(state.check_complete());
  return state;
}

Result<std::vector<TimedCommit>> LogReader::list_commits() {
  const std::string folder = path(kLogFolder);
  TRY_ASSIGN(const auto objects, store_.list(folder));
  std::vector<TimedCommit> commits;
  for (const objects::ObjectInfo& object : objects) {
    const auto name = parse_log_name(std::string_view(object.name).substr(folder.size()));
    if (!name || name->kind != LogName::Kind::kCommit) continue;
    const WallTime after = commits.empty() ? object.modified : commits.back().time + std::chrono::milliseconds(1);
    commits.push_back({name->version, std::max(object.modified, after)});
  }
  return commits;
}

Result<Version> LogReader::version_at(WallTime time) {
  TRY_ASSIGN(const auto commits, list_commits());
  const auto later = std::ranges::upper_bound(commits, time, {}, &TimedCommit::time);
  if (later != commits.begin()) return std::prev(later)->version;
  if (commits.empty())
    return fail(ErrorCode::kNotFound, fmt::format("no Delta table: {} holds no commits", path(kLogFolder)));
  return fail(ErrorCode::kNotFound,
              fmt::format("nothing is known of that time; the first commit that is still there is {} of {}",
                          commits.front().version, format_iso8601(commits.front().time)));
}

Result<TableState> LogReader::load_until(std::optional<Version> last) {
  Version from{0};
  // The hint only saves listing; what is wrong with it costs nothing but that.
  if (const auto bytes = store_.get(path(kHintName)); bytes) {
    if (const auto hint = parse_hint(*bytes); hint && (!last || hint->version <= *last)) from = hint->version;
  } else if (bytes.error().code != ErrorCode::kNotFound) {
    return fail(bytes.error());
  }
  TRY_ASSIGN(Listing listing, list_log(from, last));
  if (from > Version(0) && listing.checkpoints.empty()) {
    TRY_ASSIGN(listing, list_log(Version(0), last));
  }
  std::optional<Error> first_error;
  while (!listing.checkpoints.empty()) {
    const auto [version, parts] = listing.checkpoints.back();
    auto state = read_checkpoint(version, parts);
    if (state) return reaching(replay(*std::move(state), listing.commits), last);
    if (state.error().code == ErrorCode::kInvalid) return state;  // Not damaged, but not for us.
    if (!first_error) first_error = state.error();
    listing.checkpoints.pop_back();
    // Older checkpoints and commits may lie before where the hint let us begin.
    if (listing.checkpoints.empty() && from > Version(0)) {
      from = Version(0);
      TRY_ASSIGN(listing, list_log(from, last));
      std::erase_if(listing.checkpoints, [&](const auto& other) { return other.first >= version; });
    }
  }
  if (listing.commits.empty() && !first_error && !listing.has_v2_checkpoint) {
    return fail(ErrorCode::kNotFound, fmt::format("no Delta table: {} holds no commits", path(kLogFolder)));
  }
  if (!listing.commits.empty() && listing.commits.front() == Version(0)) {
    return reaching(replay(TableState{}, listing.commits), last);
  }
  if (first_error) return fail(*std::move(first_error));
  if (listing.has_v2_checkpoint) {
    return fail(ErrorCode::kInvalid, "the table uses the feature v2Checkpoint, which pinflow cannot read");
  }
  if (last) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("version {} cannot be read any more: the commits and checkpoints before it were cleaned away",
                    *last));
  }
  return fail(ErrorCode::kCorrupt,
              fmt::format("the log begins at commit {} without a checkpoint", listing.commits.front()));
}

}  // namespace pinflow::delta::internal
