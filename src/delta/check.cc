#include "delta/check.h"

#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "delta/internal/checkpoint.h"
#include "delta/internal/log_reader.h"
#include "delta/internal/partition.h"
#include "delta/internal/paths.h"
#include "delta/internal/schema.h"
#include "delta/internal/statistics.h"

namespace pinflow::delta {

namespace {

using namespace internal;

class Checker {
 public:
  Checker(objects::ObjectStore& store, sql::Engine& engine, std::string name)
      : store_(store), engine_(engine), name_(std::move(name)), reader_(store, engine, name_) {}

  Result<CheckReport> run() {
    TRY(list());
    TRY(read_log());
    TRY(check_hint());
    TRY_ASSIGN(session_, engine_.connect());
    for (const auto& [path, file] : state_.snapshot.files) TRY(check_file(file));
    report_.files = state_.snapshot.files.size();
    report_.rows = state_.snapshot.rows();
    return std::move(report_);
  }

 private:
  void found(std::string file, std::string what) { report_.findings.push_back({std::move(file), std::move(what)}); }
  std::string object(std::string_view below) const { return name_ + "/" + std::string(below); }

  Result<void> list() {
    const std::string folder = object(kLogFolder);
    TRY_ASSIGN(const auto objects, store_.list(folder));
    for (const objects::ObjectInfo& entry : objects) {
      const auto name = parse_log_name(std::string_view(entry.name).substr(folder.size()));
      if (!name) continue;
      if (name->kind == LogName::Kind::kCommit) commits_.insert(name->version);
      if (name->kind == LogName::Kind::kCheckpoint) checkpoints_.emplace(name->version, 1);
      if (name->kind == LogName::Kind::kCheckpointPart && name->part == name->parts) {
        checkpoints_.emplace(name->version, name->parts);
      }
    }
    if (commits_.empty()) return fail(ErrorCode::kNotFound, "there is no table " + name_);
    return {};
  }

  // Replays all commits that are there; what a checkpoint says must be what they came to.
  Result<void> read_log() {
    report_.first = *commits_.begin();
    Version next = report_.first;
    if (next > Version(0)) TRY(begin_at_checkpoint(next));
    for (const Version version : commits_) {
      if (version <= state_.snapshot.version) continue;
      if (version != next && version != state_.snapshot.version + 1) {
        found(commit_name(state_.snapshot.version + 1), "is missing, while later commits are there");
        return {};
      }
      TRY(read_commit(version));
      TRY(check_checkpoint(version));
      next = version + 1;
    }
    report_.last = state_.snapshot.version;
    return {};
  }

  Result<void> begin_at_checkpoint(Version first) {
    const auto at = checkpoints_.lower_bound(first);
    if (at == checkpoints_.end() || at->first > first) {
      found(commit_name(first), "is the first commit, and there is no checkpoint of its version to begin from");
    }
    if (at == checkpoints_.end()) return fail(ErrorCode::kCorrupt, "the log begins without a checkpoint");
    auto state = reader_.read_checkpoint(at->first, at->second);
    if (!state) return fail(state.error());
    state_ = *std::move(state);
    ++report_.checkpoints;
    return {};
  }

  Result<void> read_commit(Version version) {
    const std::string file = commit_name(version);
    const auto commit = reader_.read_commit(version);
    if (!commit) return fail(commit.error());
    if (!*commit) return fail(ErrorCode::kUnavailable, file + " went away while it was read");
    check_actions(file, version, **commit);
    if (auto applied = state_.apply(version, **commit); !applied) return fail(std::move(applied).error());
    return {};
  }

  // What one commit may hold at most, and that what it removes was there.
  void check_actions(const std::string& file, Version version, const Commit& commit) {
    std::size_t infos = 0, protocols = 0, metadatas = 0;
    std::set<std::string_view> apps, added, removed;
    for (const Action& action : commit) {
      infos += std::holds_alternative<CommitInfo>(action) ? 1 : 0;
      protocols += std::holds_alternative<Protocol>(action) ? 1 : 0;
      metadatas += std::holds_alternative<Metadata>(action) ? 1 : 0;
      if (const auto* txn = std::get_if<Txn>(&action); txn != nullptr && !apps.insert(txn->app_id).second) {
        found(file, "moves the position of " + txn->app_id + " twice");
      }
      if (const auto* add = std::get_if<Add>(&action); add != nullptr) {
        if (!added.insert(add->file.path).second) found(file, "adds " + add->file.path + " twice");
        check_values(file, commit, *add);
      }
      const auto* remove = std::get_if<Remove>(&action);
      if (remove == nullptr) continue;
      if (!removed.insert(remove->path).second) found(file, "removes " + remove->path + " twice");
      if (!state_.snapshot.files.contains(remove->path)) found(file, "removes " + remove->path + ", which is not live");
    }
    if (infos > 1 || protocols > 1 || metadatas > 1) {
      found(file, "holds more than one commitInfo, protocol or metaData");
    }
    if (version == Version(0) && (protocols == 0 || metadatas == 0)) {
      found(file, "makes the table without protocol or metaData");
    }
  }

  // Each partition column has its value, and nothing else has.
  void check_values(const std::string& file, const Commit& commit, const Add& add) {
    const std::vector<std::string>* columns = &state_.snapshot.partition_columns;
    for (const Action& action : commit) {
      if (const auto* metadata = std::get_if<Metadata>(&action)) columns = &metadata->partition_columns;
    }
    const PartitionValues& values = add.file.partition_values;
    const bool all = std::ranges::all_of(*columns, [&](const std::string& column) { return values.contains(column); });
    if (all && values.size() == columns->size()) return;
    found(file,
          fmt::format("adds {} with partition values of other columns than {}", add.file.path, name_columns(*columns)));
  }

  Result<void> check_checkpoint(Version version) {
    const auto at = checkpoints_.find(version);
    if (at == checkpoints_.end()) return {};
    ++report_.checkpoints;
    const auto state = reader_.read_checkpoint(version, at->second);
    if (!state) {
      found(checkpoint_name(version), "cannot be read: " + state.error().message);
      return {};
    }
    // A checkpoint leaves out removed files past their retention, and may come from a writer that keeps other members of them.
    if (state->protocol != state_.protocol || state->metadata != state_.metadata) {
      found(checkpoint_name(version), "has another protocol or metaData than the commits up to it");
    }
    if (state->snapshot.transactions != state_.snapshot.transactions) {
      found(checkpoint_name(version),
            "has other source positions than the commits up to it: readers would double or lose rows");
    }
    const auto same = [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.size == b.second.size && a.second.statistics == b.second.statistics &&
             a.second.partition_values == b.second.partition_values;
    };
    if (!std::ranges::equal(state->snapshot.files, state_.snapshot.files, same)) {
      found(checkpoint_name(version), "has other live files than the commits up to it");
    }
    for (const auto& [path, tombstone] : state->tombstones) {
      if (!state_.tombstones.contains(path))
        found(checkpoint_name(version), "says that " + path + " was removed, which no commit does");
    }
    return {};
  }

  Result<void> check_hint() {
    const auto bytes = store_.get(object(kHintName));
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
      if (!checkpoints_.empty()) found(std::string(kHintName), "is missing, so readers list the whole log");
      return {};
    }
    if (!bytes) return fail(bytes.error());
    const auto hint = parse_hint(*bytes);
    if (!hint) {
      found(std::string(kHintName), hint.error().message);
    } else if (!checkpoints_.contains(hint->version)) {
      found(std::string(kHintName), fmt::format("names checkpoint {}, which is not there", hint->version));
    }
    return {};
  }

  Result<void> check_file(const DataFile& file) {
    const std::string path = decode_path(file.path);
    const auto info = store_.describe(object(path));
    if (!info && info.error().code != ErrorCode::kNotFound) return fail(info.error());
    if (!info) {
      found(path, "is live but not there: its rows are lost, and readers fail");
      return {};
    }
    if (info->size != file.size) found(path, fmt::format("has {} bytes, the log says {}", info->size, file.size));
    TRY_ASSIGN(const disk::Path local, store_.local_copy(object(path)));
    const std::string from = fmt::format("read_parquet({}, hive_partitioning = false)",
                                         sql::quote_text(std::filesystem::absolute(local).string()));
    const auto columns = session_->query(fmt::format("SELECT * FROM {} LIMIT 0", from));
    if (!columns) {
      found(path, "is no readable Parquet file: " + columns.error().message);
      return {};
    }
    std::set<std::string> present;
    for (std::size_t i = 0; i < columns->columns.size(); ++i) {
      present.insert(columns->columns[i]);
      check_column(path, local, columns->columns[i], columns->types[i]);
    }
    TRY(check_partition(path, file, present));
    return check_rows(path, file, from, present);
  }

  // The values are those of the columns' types, and lie in the log alone.
  Result<void> check_partition(const std::string& path, const DataFile& file, const std::set<std::string>& present) {
    const auto bounds = parse_statistics(file.statistics);
    for (const auto& [column, value] : file.partition_values) {
      if (present.contains(column)) found(path, fmt::format("holds the partition column {}", column));
      if (bounds && bounds->columns.contains(column)) {
        found(path, fmt::format("has statistics of the partition column {}", column));
      }
      const auto field = std::ranges::find(state_.snapshot.schema, column, &Field::name);
      if (field == state_.snapshot.schema.end() || !seen_values_.emplace(column, value).second) continue;
      TRY_ASSIGN(const std::string typed, typed_value_sql(*field, text_literal(value)));
      if (!session_->query("SELECT " + typed)) {
        found(path, fmt::format("has {} = {}, which is no {}", column, value, field->type));
      }
    }
    return {};
  }

  void check_column(const std::string& path, const disk::Path& local, const std::string& column,
                    const std::string& type) {
    const auto field = std::ranges::find(state_.snapshot.schema, column, &Field::name);
    if (field == state_.snapshot.schema.end()) return;  // Readers pass over it.
    const auto expected = engine_type(field->type);
    if (!expected || *expected == type || (field->type == "timestamp" && is_int96(local, column))) return;
    found(path, fmt::format("has {} as {}, the table as {}", column, type, field->type));
  }

  // Spark writes timestamps in this old way unless told otherwise. It states no time zone; in Delta it is UTC.
  bool is_int96(const disk::Path& local, const std::string& column) {
    const auto stored = session_->query(fmt::format("SELECT type FROM parquet_schema({}) WHERE name = {}",
                                                    sql::quote_text(std::filesystem::absolute(local).string()),
                                                    sql::quote_text(column)));
    return stored && stored->rows.size() == 1 && stored->rows[0][0].to_text() == "INT96";
  }

  // Counts rows, nulls and values outside the bounds that the statistics give, in one pass.
  Result<void> check_rows(const std::string& path, const DataFile& file, const std::string& from,
                          const std::set<std::string>& present) {
    const auto bounds = parse_statistics(file.statistics);
    if (!bounds) {
      found(path, "has statistics that are no JSON object");
      return {};
    }
    std::string select = "SELECT count(*)";
    std::vector<std::pair<std::string, std::int64_t>> expected{{"numRecords", bounds->rows.value_or(-1)}};
    for (const auto& [column, bound] : bounds->columns) {
      if (!present.contains(column)) continue;
      const std::string quoted = sql::quote_name(column);
      if (bound.nulls) {
        select += fmt::format(", count(*) - count({})", quoted);
        expected.emplace_back("nullCount of " + column, *bound.nulls);
      }
      const auto outside = [&](const std::optional<std::string>& limit, std::string_view comparison,
                               std::string_view what) {
        if (!limit) return;
        select += fmt::format(", count(*) FILTER (WHERE {0} {1} CAST({2} AS {3}))", quoted, comparison,
                              sql::quote_text(*limit), type_of(column));
        expected.emplace_back(fmt::format("{} of {}", what, column), 0);
      };
      outside(bound.minimum, "<", "minValues");
      outside(bound.maximum, ">", "maxValues");
    }
    TRY_ASSIGN(const auto counted, session_->query(fmt::format("{} FROM {}", select, from)));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto* value = std::get_if<std::int64_t>(&counted.rows[0][i].data);
      if (expected[i].second == -1 || (value != nullptr && *value == expected[i].second)) continue;
      const bool is_bound = expected[i].first.starts_with("m");
      found(path, fmt::format("{} of its statistics {}: {}", expected[i].first,
                              is_bound ? "leaves rows out" : "is wrong", counted.rows[0][i].to_text()));
    }
    return {};
  }

  std::string type_of(const std::string& column) const {
    const auto field = std::ranges::find(state_.snapshot.schema, column, &Field::name);
    if (field == state_.snapshot.schema.end()) return "VARCHAR";
    return engine_type(field->type).value_or("VARCHAR");
  }

  objects::ObjectStore& store_;
  sql::Engine& engine_;
  const std::string name_;
  LogReader reader_;
  std::unique_ptr<sql::Session> session_;
  std::set<Version> commits_;
  std::map<Version, std::int64_t> checkpoints_;                // With their parts.
  std::set<std::pair<std::string, std::string>> seen_values_;  // Of partition columns.
  TableState state_;
  CheckReport report_;
};

}  // namespace

Result<CheckReport> check_table(objects::ObjectStore& store, sql::Engine& engine, const std::string& name) {
  auto report = Checker(store, engine, name).run();
  if (!report) return fail(std::move(report.error()).with_context("table " + name));
  return report;
}

}  // namespace pinflow::delta
