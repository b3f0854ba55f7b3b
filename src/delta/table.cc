#include "delta/table.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/names.h"
#include "base/uuid.h"
#include "delta/internal/checkpoint.h"
#include "delta/internal/data_writer.h"
#include "delta/internal/log_cleanup.h"
#include "delta/internal/log_reader.h"
#include "delta/internal/partition.h"
#include "delta/internal/properties.h"
#include "delta/internal/schema.h"
#include "delta/internal/table_state.h"

namespace pinflow::delta {

namespace {

using namespace internal;

// Each try sees the log's newest end, so losing this often in a row means that something is wrong with the
// store.
constexpr int kCommitTries = 100;

std::int64_t millis(WallTime time) {
  return time.time_since_epoch().count();
}

// operationParameters hold text alone, lists as JSON.
std::string json_list(const std::vector<std::string>& texts) {
  JsonWriter json;
  json.begin_array();
  for (const std::string& text : texts) json.string(text);
  return std::move(json.end_array()).take();
}

Commit creation(const TableSpec& spec, std::string schema, WallTime now, Random& random) {
  Metadata metadata;
  metadata.id = Uuid::random(random).to_string();
  metadata.name = spec.name;
  metadata.description = spec.description;
  metadata.schema = std::move(schema);
  metadata.partition_columns = spec.partition_columns;
  if (spec.append_only) metadata.configuration.emplace("delta.appendOnly", "true");
  metadata.created_ms = millis(now);
  CommitInfo info;
  info.timestamp_ms = millis(now);
  info.operation = "CREATE TABLE";
  info.parameters = {{"partitionBy", json_list(spec.partition_columns)}};
  info.blind_append = true;
  info.transaction_id = Uuid::random(random).to_string();
  return {info, Protocol{}, metadata};
}

class DeltaTable final : public Table {
 public:
  DeltaTable(const TableContext& context, TableSpec spec)
      : context_(context),
        spec_(std::move(spec)),
        reader_(context.store, context.engine, spec_.name),
        writer_(context, spec_.name) {}

  // Loads the table, or makes it; of several makers one wins and the others load what it made.
  Result<void> open() {
    TRY_ASSIGN(std::string schema, format_schema(spec_.schema));
    TRY(check_partition_columns(spec_.schema, spec_.partition_columns));
    auto state = reader_.load();
    if (!state && state.error().code == ErrorCode::kNotFound) {
      const Commit first = creation(spec_, std::move(schema), context_.clock.now(), context_.random);
      const auto put = context_.store.put_new(object(commit_name(Version(0))), format_commit(first));
      if (!put && put.error().code != ErrorCode::kConflict && put.error().code != ErrorCode::kUnknownOutcome) {
        return fail(put.error());
      }
      state = reader_.load();
    }
    if (!state) return fail(std::move(state).error());
    TRY(check_is_ours(*state));
    state_ = *std::move(state);
    warn_of_forgetting();
    return add_columns();
  }

  Result<PendingFiles> begin_files(sql::Session& session, std::string_view select) override {
    const std::vector<Field>* schema = &spec_.schema;
    if (const auto& all = state_.snapshot.schema; all.size() > schema->size()) {
      // A rewrite keeps the columns that others added behind ours.
      TRY_ASSIGN(const auto given, DataWriter::columns_of(session, select));
      if (given.size() == all.size()) schema = &all;
    }
    auto files = writer_.write(session, select, *schema, spec_.partition_columns);
    if (!files) return fail(std::move(files.error()).with_context("table " + spec_.name));
    return files;
  }

  Result<Version> append(const std::vector<DataFile>& files, const std::vector<Transaction>& transactions) override {
    if (files.empty() && transactions.empty()) return state_.snapshot.version;
    TRY(check_positions(transactions));
    CommitInfo info;
    info.operation = transactions.empty() ? "WRITE" : "STREAMING UPDATE";
    info.parameters = {{transactions.empty() ? "mode" : "outputMode", "Append"}};
    info.blind_append = true;
    return commit(std::move(info), adds(files), {.transactions = transactions});
  }

  Result<Version> replace(const std::vector<DataFile>& files, const std::vector<Transaction>& transactions) override {
    TRY(check_may_remove());
    TRY(check_distinct(transactions));
    Commit actions;
    for (const auto& [path, file] : state_.snapshot.files) {
      actions.push_back(removal(file, true));
    }
    std::ranges::move(adds(files), std::back_inserter(actions));
    CommitInfo info;
    info.operation = "WRITE";
    info.parameters = {{"mode", "Overwrite"}};
    return commit(std::move(info), std::move(actions), {.transactions = transactions, .alone = true});
  }

  Result<Version> rewrite(const std::vector<std::string>& replaced, const std::vector<DataFile>& files) override {
    Commit actions;
    std::map<PartitionValues, std::int64_t> rows;  // Those that would be lost.
    std::uint64_t removed_bytes = 0;
    for (const std::string& path : replaced) {
      const auto live = state_.snapshot.files.find(path);
      if (live == state_.snapshot.files.end()) return fail(ErrorCode::kConflict, in_table("has no file " + path));
      actions.push_back(removal(live->second, false));
      rows[live->second.partition_values] += live->second.rows;
      removed_bytes += live->second.size;
    }
    std::uint64_t added_bytes = 0;
    for (const DataFile& file : files) {
      actions.push_back(Add{.file = file, .data_change = false});
      rows[file.partition_values] -= file.rows;
      added_bytes += file.size;
    }
    for (const auto& [values, lost] : rows) {
      if (lost == 0) continue;
      const std::string where =
          values.empty() ? std::string() : " in " + partition_folder(spec_.partition_columns, values);
      return fail(ErrorCode::kInvalid, in_table(fmt::format("would {} {} rows by a rewrite{}",
                                                            lost > 0 ? "lose" : "gain", std::abs(lost), where)));
    }
    CommitInfo info;
    info.operation = "OPTIMIZE";
    info.parameters = {{"predicate", "[]"}, {"auto", "false"}};
    info.metrics = {{"numRemovedFiles", std::to_string(replaced.size())},
                    {"numRemovedBytes", std::to_string(removed_bytes)},
                    {"numAddedFiles", std::to_string(files.size())},
                    {"numAddedBytes", std::to_string(added_bytes)}};
    return commit(std::move(info), std::move(actions), {.removed = {replaced.begin(), replaced.end()}});
  }

  Result<Version> merge(const std::vector<std::string>& removed, const std::vector<DataFile>& files,
                        const std::vector<Transaction>& transactions) override {
    TRY(check_may_remove());
    TRY(check_distinct(transactions));
    Commit actions;
    for (const std::string& path : removed) {
      const auto live = state_.snapshot.files.find(path);
      if (live == state_.snapshot.files.end()) return fail(ErrorCode::kConflict, in_table("has no file " + path));
      actions.push_back(removal(live->second, true));
    }
    std::ranges::move(adds(files), std::back_inserter(actions));
    CommitInfo info;
    info.operation = "MERGE";
    info.metrics = {{"numTargetFilesRemoved", std::to_string(removed.size())},
                    {"numTargetFilesAdded", std::to_string(files.size())}};
    return commit(std::move(info), std::move(actions),
                  {.transactions = transactions, .removed = {removed.begin(), removed.end()}});
  }

  void discard(const DataFile& file) override { discard_file(context_.store, context_.logger, spec_.name, file); }

  const Snapshot& snapshot() const override { return state_.snapshot; }

  Result<void> refresh() override {
    TRY_ASSIGN(const auto commits, reader_.commits_after(state_.snapshot.version));
    for (const Commit& commit : commits) TRY(follow(commit));
    return {};
  }

 private:
  // We keep every position for ever; a writer that obeys this property does not.
  void warn_of_forgetting() {
    if (!state_.metadata->configuration.contains("delta.setTransactionRetentionDuration")) return;
    context_.logger.warning(
        "delta.setTransactionRetentionDuration lets other writers forget how far sources were read: after a checkpoint "
        "of theirs "
        "rows may come twice; unset it",
        {{"table", spec_.name}});
  }

  // Adds the columns at the end that the table does not have yet; its older files read as null there.
  Result<void> add_columns() {
    for (int tries = 0; state_.snapshot.schema.size() < spec_.schema.size(); ++tries) {
      if (tries == kCommitTries) return fail(ErrorCode::kUnavailable, in_table("changes all the time"));
      Metadata metadata = *state_.metadata;
      TRY_ASSIGN(metadata.schema, format_schema(spec_.schema));
      CommitInfo info;
      info.operation = "ADD COLUMNS";
      const auto added = commit(std::move(info), {metadata}, {.alone = true});
      if (!added && added.error().code != ErrorCode::kConflict) return fail(added.error());
    }
    return {};
  }

  // What a commit of ours rests on: a commit of others that touches it, between our snapshot and ours, is a conflict.
  struct Claim {
    std::vector<Transaction> transactions = {};       // Positions that nobody else moved.
    std::set<std::string, std::less<>> removed = {};  // Files that are still there.
    bool alone = false;                               // No commit of others at all.
  };

  Remove removal(const DataFile& file, bool data_change) const {
    return {file.path, millis(context_.clock.now()), data_change, file.size, file.partition_values};
  }
  std::string object(std::string_view below) const { return spec_.name + "/" + std::string(below); }
  std::string in_table(std::string_view what) const { return fmt::format("table {} {}", spec_.name, what); }

  Result<void> check_is_ours(const TableState& state) const {
    if (auto writable = check_writable(*state.protocol, *state.metadata); !writable) {
      return fail(std::move(writable.error()).with_context("table " + spec_.name));
    }
    if (state.snapshot.partition_columns != spec_.partition_columns) {
      return fail(
          ErrorCode::kInvalid,
          in_table(fmt::format("is partitioned by {}, expected {}; how a table is partitioned cannot be changed. "
                               "Set it as it was, or move the table's folder away",
                               name_columns(state.snapshot.partition_columns), name_columns(spec_.partition_columns))));
    }
    // What another writer added behind our columns stays null in our files; a column of ours that is missing is added by open().
    const auto& stored = state.snapshot.schema;
    for (std::size_t i = 0; i < std::min(stored.size(), spec_.schema.size()); ++i) {
      if (stored[i] == spec_.schema[i]) continue;
      return fail(
          ErrorCode::kInvalid,
          in_table(fmt::format(
              "has another schema: its column {} is {} {}, expected {} {}; columns may only be added at the end. "
              "Move the table's folder away, or run the version that made it",
              i + 1, stored[i].name, stored[i].type, spec_.schema[i].name, spec_.schema[i].type)));
    }
    return {};
  }

  Result<void> check_may_remove() const {
    const auto append_only = state_.metadata->configuration.find("delta.appendOnly");
    if (append_only == state_.metadata->configuration.end() || append_only->second != "true") return {};
    return fail(ErrorCode::kInvalid, in_table("is append-only (delta.appendOnly), its rows cannot be replaced"));
  }

  Result<void> check_distinct(const std::vector<Transaction>& transactions) const {
    std::set<std::string_view> seen;
    for (const Transaction& transaction : transactions) {
      if (!seen.insert(transaction.app_id).second) {
        return fail(ErrorCode::kInvalid, in_table("gets one commit with two positions of " + transaction.app_id));
      }
    }
    return {};
  }

  // A position that would not move stands for rows that are in the table already.
  Result<void> check_positions(const std::vector<Transaction>& transactions) const {
    TRY(check_distinct(transactions));
    for (const Transaction& transaction : transactions) {
      const auto stored = state_.snapshot.transactions.find(transaction.app_id);
      if (stored == state_.snapshot.transactions.end() || stored->second < transaction.version) continue;
      return fail(ErrorCode::kConflict, in_table(fmt::format("holds {} up to {} already, the commit would set it to {}",
                                                             transaction.app_id, stored->second, transaction.version)));
    }
    return {};
  }

  static Commit adds(const std::vector<DataFile>& files) {
    Commit actions;
    for (const DataFile& file : files) actions.push_back(Add{.file = file});
    return actions;
  }

  // Takes in somebody's next commit. Afterwards the table must still be one that we may write.
  Result<void> follow(const Commit& commit) {
    TRY(state_.apply(state_.snapshot.version + 1, commit));
    return check_is_ours(state_);
  }

  Result<Version> commit(CommitInfo info, Commit changes, const Claim& claim) {
    const std::int64_t now = millis(context_.clock.now());
    info.timestamp_ms = now;
    info.transaction_id = Uuid::random(context_.random).to_string();
    const std::string our_id = info.transaction_id;
    Commit actions{std::move(info)};
    for (const Transaction& transaction : claim.transactions)
      actions.push_back(Txn{transaction.app_id, transaction.version, now});
    std::ranges::move(changes, std::back_inserter(actions));
    const std::string bytes = format_commit(actions);

    for (int tries = 0; tries < kCommitTries; ++tries) {
      const Version next = state_.snapshot.version + 1;
      const auto put = context_.store.put_new(object(commit_name(next)), bytes);
      if (put) {
        TRY(state_.apply(next, actions));
        checkpoint_when_due();
        return next;
      }
      if (put.error().code != ErrorCode::kConflict && put.error().code != ErrorCode::kUnknownOutcome) {
        return fail(put.error());
      }
      // Somebody was first, or nobody knows: what lies in the log decides. An empty place means that our put
      // did not happen; should it still arrive, the next try meets it and knows it by its id.
      auto settled = settle(our_id, claim);
      if (!settled && put.error().code == ErrorCode::kUnknownOutcome &&
          settled.error().code == ErrorCode::kUnavailable) {
        settled.error().code = ErrorCode::kUnknownOutcome;
      }
      if (!settled) return fail(std::move(settled).error());
      if (*settled) return **settled;
    }
    return fail(
        ErrorCode::kUnavailable,
        in_table(fmt::format("took none of {} tries to commit; other writers were faster each time", kCommitTries)));
  }

  // Reads all commits that came before ours could. The version of ours where it is among them; nothing where
  // we may try again behind them; kConflict where we may not.
  Result<std::optional<Version>> settle(const std::string& our_id, const Claim& claim) {
    TRY_ASSIGN(const auto winners, reader_.commits_after(state_.snapshot.version));
    std::optional<Version> ours;
    std::optional<Error> conflict;
    for (const Commit& winner : winners) {
      TRY(follow(winner));
      if (is_commit_of(winner, our_id)) {
        ours = state_.snapshot.version;
      } else if (!conflict) {
        conflict = find_conflict(winner, claim);
      }
    }
    if (ours) {
      checkpoint_when_due();
      return ours;
    }
    if (conflict) return fail(*std::move(conflict));
    return std::nullopt;
  }

  std::optional<Error> find_conflict(const Commit& winner, const Claim& claim) const {
    const Version version = state_.snapshot.version;
    if (claim.alone) {
      return Error{ErrorCode::kConflict, in_table(fmt::format("was changed by another writer in version {}", version))};
    }
    for (const Action& action : winner) {
      if (const auto* moved = std::get_if<Txn>(&action)) {
        if (std::ranges::find(claim.transactions, moved->app_id, &Transaction::app_id) == claim.transactions.end())
          continue;
        return Error{ErrorCode::kConflict,
                     in_table(fmt::format("got {} up to {} from another writer in version {}; read on from there",
                                          moved->app_id, moved->version, version))};
      }
      if (const auto* gone = std::get_if<Remove>(&action); gone != nullptr && claim.removed.contains(gone->path)) {
        return Error{ErrorCode::kConflict,
                     in_table(fmt::format("lost {} to another writer in version {}", gone->path, version))};
      }
      if (std::holds_alternative<Metadata>(action) && !claim.removed.empty()) {
        return Error{ErrorCode::kConflict, in_table(fmt::format("has another schema since version {}", version))};
      }
    }
    return std::nullopt;
  }

  // A checkpoint only makes reading faster; the commit stands without it.
  void checkpoint_when_due() {
    const Version version = state_.snapshot.version;
    if (spec_.checkpoint_interval <= 0 || version.value() % spec_.checkpoint_interval != 0) return;
    const WallTime now = context_.clock.now();
    state_.expire_tombstones(now - interval_property(state_.metadata->configuration,
                                                     "delta.deletedFileRetentionDuration", kDeletedFileRetention));
    if (auto done = write_checkpoint(context_.store, context_.engine, spec_.name, state_); !done) {
      context_.logger.warning("a checkpoint of a table failed; readers replay more commits until the next",
                              {{"table", spec_.name}, {"version", version}, {"error", done.error().message}});
      return;
    }
    clean_log_when_due(now);
  }

  // The cut moves at midnight, so looking once a day is enough.
  void clean_log_when_due(WallTime now) {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    if (cleaned_ == day) return;
    const auto removed = clean_log(context_.store, spec_.name, *state_.metadata, now);
    if (!removed) {
      context_.logger.warning("old commits of a table stay; the next day tries again",
                              {{"table", spec_.name}, {"error", removed.error().message}});
    }
    cleaned_ = day;
  }

  const TableContext context_;
  const TableSpec spec_;
  LogReader reader_;
  DataWriter writer_;
  TableState state_;
  std::optional<WallTime> cleaned_;  // The day of the last look at the log's age.
};

}  // namespace

Result<std::vector<DataFile>> Table::write_files(sql::Session& session, std::string_view select) {
  TRY_ASSIGN(PendingFiles files, begin_files(session, select));
  return files.take();
}

Result<std::unique_ptr<Table>> open_table(const TableContext& context, const TableSpec& spec) {
  TRY(check_name("table", spec.name));
  auto table = std::make_unique<DeltaTable>(context, spec);
  if (auto opened = table->open(); !opened) {
    return fail(std::move(opened.error()).with_context("opening table " + spec.name));
  }
  return table;
}

Result<Snapshot> read_snapshot(objects::ObjectStore& store, sql::Engine& engine, const std::string& name,
                               const AsOf& as_of) {
  LogReader reader(store, engine, name);
  const auto load = [&]() -> Result<TableState> {
    if (const auto* version = std::get_if<Version>(&as_of)) return reader.load_version(*version);
    if (const auto* time = std::get_if<WallTime>(&as_of)) {
      TRY_ASSIGN(const Version version, reader.version_at(*time));
      return reader.load_version(version);
    }
    return reader.load();
  };
  auto state = load();
  if (!state) return fail(std::move(state.error()).with_context("reading table " + name));
  return std::move(state->snapshot);
}

Result<std::vector<std::string>> list_tables(objects::ObjectStore& store) {
  std::vector<std::string> tables;
  std::string after;
  while (true) {
    TRY_ASSIGN(const auto next, store.list("", after, 1));
    if (next.empty()) return tables;
    const std::size_t slash = next[0].name.find('/');
    if (slash == std::string::npos) {
      after = next[0].name;
      continue;
    }
    const std::string folder = next[0].name.substr(0, slash);
    TRY_ASSIGN(const auto log, store.list(folder + "/" + std::string(kLogFolder), {}, 1));
    if (!log.empty()) tables.push_back(folder);
    after = folder + "/~";  // Sorts after every name in the folder.
  }
}

}  // namespace pinflow::delta
