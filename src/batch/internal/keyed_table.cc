#include "batch/internal/keyed_table.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batch/internal/stored_table.h"

namespace pinflow::batch::internal {

namespace {

// So many rows lie in one file: what a row costs that gives way later.
constexpr std::uint64_t kRowsPerFile = 250'000;
// Each change adds a file; once so many have less than a quarter of the rows that a file may have, they become one.
constexpr std::size_t kSmallFiles = 8;
constexpr std::int64_t kSmallFile = kRowsPerFile / 4;
// Rows that stay in memory once they are written, for those who read the whole table.
constexpr std::int64_t kKeptRows = 1'000'000;
// Files that are rewritten at once.
constexpr std::uint64_t kBytesAtOnce = std::uint64_t{128} << 20;
// The key of a table of posts.
const std::vector<std::string> kPost = {"ind"};
// Where rows of a relation meet rows of the table: path, key, and of posts whether the table's row stays.
constexpr std::string_view kMet = "pinflow_met";

// Whether the table's row is later in the log than the given one, as sql/model/latest_*.sql have it.
constexpr std::string_view kStays =
    "(o.source_offset > n.source_offset OR (o.source_offset = n.source_offset AND (o.source_partition > "
    "n.source_partition OR (o.source_partition = n.source_partition AND o.source_topic <= n.source_topic))))";

}  // namespace

std::string same_key(const std::vector<std::string>& key) {
  if (key == kPost) return "n.ind = o.ind";
  std::string same;
  for (const std::string& column : key)
    same += fmt::format("{0}n.{1} IS NOT DISTINCT FROM o.{1}", same.empty() ? "" : " AND ", column);
  return same;
}

Result<std::unique_ptr<KeyedTable>> KeyedTable::open(const delta::TableContext& context, sql::Session& session,
                                                     const std::string& name, const std::string& description,
                                                     const std::string& select, const std::vector<std::string>& key) {
  TRY_ASSIGN(const delta::TableSpec spec, spec_of(session, name, description, select));
  std::unique_ptr<KeyedTable> table(new KeyedTable(context, session, name, key));
  TRY_ASSIGN(table->table_, delta::open_table(table->context_, spec));
  return table;
}

KeyedTable::KeyedTable(const delta::TableContext& context, sql::Session& session, std::string name,
                       std::vector<std::string> key)
    : random_(context.random()),
      context_{context.store, context.engine, context.clock, random_, context.logger},
      session_(session),
      name_(std::move(name)),
      key_(std::move(key)) {}

Result<std::uint64_t> KeyedTable::number(const std::string& query) const {
  TRY_ASSIGN(const sql::ResultTable answer, session_.query(query));
  return static_cast<std::uint64_t>(std::get<std::int64_t>(answer.rows.at(0).at(0).data));
}

Result<std::vector<std::string>> KeyedTable::files_of(const std::string& query) const {
  TRY_ASSIGN(const sql::ResultTable answer, session_.query(query));
  std::vector<std::string> paths;
  for (const auto& row : answer.rows) paths.push_back(row[0].to_text());
  return paths;
}

Result<std::vector<std::string>> KeyedTable::files_that_may_hold(const std::string& keys) const {
  std::vector<std::string> paths;
  std::string ranges;
  for (const auto& [path, file] : snapshot().files) {
    if (const auto range = key_ == kPost ? delta::integer_range(file, kPost[0]) : std::nullopt) {
      ranges += fmt::format("{}({}, {}, {})", ranges.empty() ? "" : ", ", sql::quote_text(path), range->least,
                            range->greatest);
    } else {
      paths.push_back(path);
    }
  }
  if (ranges.empty()) return paths;
  const std::string query = fmt::format(
      "SELECT path FROM (VALUES {}) AS ranges(path, least, greatest) WHERE EXISTS (SELECT 1 FROM {} AS n WHERE n.ind "
      "BETWEEN least AND greatest)",
      ranges, sql::quote_name(keys));
  TRY_ASSIGN(auto found, files_of(query));
  std::ranges::move(found, std::back_inserter(paths));
  std::ranges::sort(paths);
  return paths;
}

Result<std::string> KeyedTable::select_all() const {
  if (!kept_.empty()) return fmt::format("SELECT * FROM {}", sql::quote_name(kept_));
  return delta::select_all(context_.store, name_, snapshot());
}

Result<std::string> KeyedTable::select_posts(const delta::IntegerRange& posts) const {
  std::string rows = kept_;
  if (kept_.empty()) {
    std::vector<std::string> paths;
    for (const auto& [path, file] : snapshot().files) {
      const auto range = delta::integer_range(file, "ind");
      if (!range || (range->least <= posts.greatest && range->greatest >= posts.least)) paths.push_back(path);
    }
    TRY_ASSIGN(rows, delta::select_files(context_.store, name_, snapshot(), paths));
    rows = fmt::format("({})", rows);
  }
  return fmt::format("SELECT * FROM {} AS o WHERE o.ind BETWEEN {} AND {}", rows, posts.least, posts.greatest);
}

Result<Merged> KeyedTable::merge_latest(const std::string& relation,
                                        const std::vector<delta::Transaction>& transactions) {
  TRY_ASSIGN(const auto candidates, files_that_may_hold(relation));
  TRY_ASSIGN(const std::string rows,
             delta::select_files_with_paths(context_.store, name_, snapshot(), candidates, "path"));
  const std::string quoted = sql::quote_name(relation);
  TRY(
      session_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT o.path, o.ind, {} AS stays FROM ({}) AS o "
                               "JOIN {} AS n ON n.ind = o.ind",
                               kMet, kStays, rows, quoted)));
  Merged merged;
  TRY_ASSIGN(merged.dropped, number(fmt::format("SELECT count(*) FROM {} WHERE stays", kMet)));
  TRY_ASSIGN(merged.replaced, number(fmt::format("SELECT count(*) FROM {} WHERE NOT stays", kMet)));
  if (merged.dropped > 0) {
    TRY(session_.run(fmt::format("DELETE FROM {} WHERE ind IN (SELECT ind FROM {} WHERE stays)", quoted, kMet)));
    TRY(session_.run(fmt::format("DELETE FROM {} WHERE stays", kMet)));
  }
  TRY_ASSIGN(merged.added, number(fmt::format("SELECT count(*) FROM {}", quoted)));
  merged.added -= std::min(merged.added, merged.replaced);
  const std::string touched = fmt::format("SELECT DISTINCT path FROM {} ORDER BY path", kMet);
  TRY_ASSIGN(const auto removed, files_of(touched));
  merged.files_rewritten = removed.size();
  TRY(write_merge(removed, relation, transactions));
  return merged;
}

Result<Merged> KeyedTable::replace_rows(const std::string& keys, const std::string& relation,
                                        const std::vector<delta::Transaction>& transactions) {
  TRY_ASSIGN(const auto candidates, files_that_may_hold(keys));
  TRY_ASSIGN(const std::string rows,
             delta::select_files_with_paths(context_.store, name_, snapshot(), candidates, "path"));
  TRY(session_.run(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT o.path, {} FROM ({}) AS o WHERE EXISTS (SELECT 1 "
                  "FROM {} AS n WHERE {})",
                  kMet, fmt::join(key_, ", "), rows, sql::quote_name(keys), same_key(key_))));
  Merged merged;
  TRY_ASSIGN(merged.replaced, number(fmt::format("SELECT count(*) FROM {}", kMet)));
  TRY_ASSIGN(merged.added, number(fmt::format("SELECT count(*) FROM {}", sql::quote_name(relation))));
  merged.added -= std::min(merged.added, merged.replaced);
  const std::string touched = fmt::format("SELECT DISTINCT path FROM {} ORDER BY path", kMet);
  TRY_ASSIGN(const auto removed, files_of(touched));
  merged.files_rewritten = removed.size();
  TRY(write_merge(removed, relation, transactions));
  return merged;
}

// The files to be written anew with those that must be: the small ones, once they are many.
std::vector<std::string> KeyedTable::with_small_files(std::vector<std::string> removed) const {
  std::vector<std::string> small;
  for (const auto& [path, file] : snapshot().files) {
    if (file.rows < kSmallFile && !std::ranges::binary_search(removed, path)) small.push_back(path);
  }
  if (small.size() < kSmallFiles) return removed;
  std::ranges::move(small, std::back_inserter(removed));
  std::ranges::sort(removed);
  return removed;
}

Result<void> KeyedTable::write_merge(const std::vector<std::string>& touched, const std::string& relation,
                                     const std::vector<delta::Transaction>& transactions) {
  std::vector<std::string> removed = touched;
  std::ranges::sort(removed);
  removed = with_small_files(std::move(removed));
  TRY_ASSIGN(delta::PendingFiles files, write_relation(relation));
  TRY(write_without(removed, files));
  TRY(session_.run(fmt::format("DROP TABLE {}", kMet)));
  if (files.empty() && removed.empty() && transactions.empty()) return {};
  change_.emplace(std::move(files), std::move(removed), transactions);
  kept_.clear();
  return {};
}

Result<delta::PendingFiles> KeyedTable::write_relation(const std::string& relation) {
  const std::string quoted = sql::quote_name(relation);
  TRY_ASSIGN(const std::uint64_t end, number(fmt::format("SELECT coalesce(max(rowid) + 1, 0) FROM {}", quoted)));
  delta::PendingFiles files(context_.store, context_.logger, name_);
  for (std::uint64_t begin = 0; begin < end; begin += kRowsPerFile) {
    TRY_ASSIGN(delta::PendingFiles written,
               table_->begin_files(session_, fmt::format("SELECT * FROM {} WHERE rowid >= {} AND rowid < {}", quoted,
                                                         begin, begin + kRowsPerFile)));
    files.add(std::move(written));
  }
  return files;
}

// The rows of files but for those of the keys in kMet.
Result<void> KeyedTable::write_without(const std::vector<std::string>& paths, delta::PendingFiles& files) {
  for (std::size_t begin = 0; begin < paths.size();) {
    std::vector<std::string> group;
    for (std::uint64_t bytes = 0; begin < paths.size() && (group.empty() || bytes < kBytesAtOnce); ++begin) {
      bytes += snapshot().files.at(paths[begin]).size;
      group.push_back(paths[begin]);
    }
    TRY_ASSIGN(const std::string rows, delta::select_files(context_.store, name_, snapshot(), group));
    TRY_ASSIGN(delta::PendingFiles written,
               table_->begin_files(
                   session_, fmt::format("SELECT * FROM ({}) AS o WHERE NOT EXISTS (SELECT 1 FROM {} AS n WHERE {})",
                                         rows, kMet, same_key(key_))));
    files.add(std::move(written));
  }
  return {};
}

Result<void> KeyedTable::replace_all(const std::vector<std::string>& selects,
                                     const std::vector<delta::Transaction>& transactions) {
  delta::PendingFiles files(context_.store, context_.logger, name_);
  for (const std::string& select : selects) {
    TRY_ASSIGN(delta::PendingFiles written, table_->begin_files(session_, select));
    files.add(std::move(written));
  }
  change_.emplace(std::move(files), std::nullopt, transactions);
  kept_.clear();
  return {};
}

Result<void> KeyedTable::replace_with(const std::string& relation,
                                      const std::vector<delta::Transaction>& transactions) {
  TRY_ASSIGN(delta::PendingFiles files, write_relation(relation));
  const std::int64_t rows = files.rows();
  change_.emplace(std::move(files), std::nullopt, transactions);
  kept_.clear();
  if (rows > kKeptRows) return {};
  kept_ = fmt::format("kept_{}", name_);
  return session_.run(fmt::format("DROP TABLE IF EXISTS {1}; ALTER TABLE {0} RENAME TO {1}", sql::quote_name(relation),
                                  sql::quote_name(kept_)));
}

Result<void> KeyedTable::commit() {
  if (!change_) return {};
  Change change = *std::exchange(change_, std::nullopt);
  TRY_ASSIGN(const auto files, change.files.take());
  const auto version = change.removed ? table_->merge(*change.removed, files, change.transactions)
                                      : table_->replace(files, change.transactions);
  // An unknown outcome may be a success: its files must stay.
  if (!version && version.error().code != ErrorCode::kUnknownOutcome) {
    for (const delta::DataFile& file : files) table_->discard(file);
  }
  if (!version) return fail(version.error());
  return {};
}

}  // namespace pinflow::batch::internal
