#include "batch/internal/model.h"

#include <utility>

#include <fmt/format.h>

#include "batch/internal/at_once.h"
#include "batch/internal/positions.h"
#include "batch/internal/posts_parts.h"

namespace pinflow::batch::internal {

namespace {

constexpr std::string_view kTouched = "pinflow_touched";
constexpr std::string_view kNewPosts = "pinflow_new_posts";
constexpr std::string_view kPostsDescription = "Every post with its place, time and user";
// Of so many posts, to make each anew costs more than to make all.
constexpr std::uint64_t kWorthRebuilding = 4;
// Posts that are made by one statement into one file.
constexpr std::int64_t kPostsAtOnce = 1'000'000;

std::string table_of(records::Kind kind) {
  return fmt::format("batch_{}", to_string(kind));
}

std::string source_id(records::Kind kind) {
  return fmt::format("pinflow-batch/built-from {}", table_of(kind));
}

// What tells a record from an earlier one of the same post.
constexpr std::string_view kRecord = "ind, source_topic, source_partition, source_offset";

}  // namespace

std::vector<delta::Transaction> Model::built_from(const sql::Statement& statement) const {
  std::vector<delta::Transaction> transactions = {made_by("batch_posts", statement.text)};
  for (const auto& [kind, table] : cleaned_) {
    transactions.push_back({source_id(kind), table->snapshot().version.value()});
  }
  return transactions;
}

Result<std::optional<std::string>> Model::why_rebuild(const delta::Snapshot& posts, const sql::Statement& statement) {
  if (posts.files.empty()) return "the table has no rows yet";
  if (!statement.built_in) return "model/posts.sql is not the built-in one, so any row may depend on any record";
  if (!is_made_by(posts, "batch_posts", statement.text)) return "model/posts.sql changed";
  for (const auto& [kind, table] : cleaned_) {
    const auto built = posts.transactions.find(source_id(kind));
    if (built == posts.transactions.end() || built->second > table->snapshot().version.value())
      return fmt::format("{} is another table than before", table_of(kind));
    if (built->second == table->snapshot().version.value()) continue;
    const auto before =
        delta::read_snapshot(context_.store, context_.engine, table_of(kind), delta::Version(built->second));
    if (!before) return fmt::format("version {} of {} is not there any more", built->second, table_of(kind));
  }
  return std::nullopt;
}

// The posts of a kind whose record changed since a version: the difference of the files that came and went, so that files that were only
// put together do not count.
Result<std::string> Model::changed_since(records::Kind kind, delta::Version version) {
  const delta::Snapshot& now = cleaned_.at(kind)->snapshot();
  TRY_ASSIGN(const delta::Snapshot before,
             delta::read_snapshot(context_.store, context_.engine, table_of(kind), version));
  std::vector<std::string> came, went;
  for (const auto& [path, file] : now.files) {
    if (!before.files.contains(path)) came.push_back(path);
  }
  for (const auto& [path, file] : before.files) {
    if (!now.files.contains(path)) went.push_back(path);
  }
  TRY_ASSIGN(const std::string new_rows, delta::select_files(context_.store, table_of(kind), now, came));
  TRY_ASSIGN(const std::string old_rows, delta::select_files(context_.store, table_of(kind), before, went));
  return fmt::format(
      "SELECT ind FROM ((SELECT {0} FROM ({1}) EXCEPT ALL SELECT {0} FROM ({2})) UNION ALL "
      "(SELECT {0} FROM ({2}) EXCEPT ALL SELECT {0} FROM ({1})))",
      kRecord, new_rows, old_rows);
}

Result<void> Model::find_touched(const delta::Snapshot& posts) {
  std::string changed;
  for (const auto& [kind, table] : cleaned_) {
    const delta::Version built(posts.transactions.at(source_id(kind)));
    if (built == table->snapshot().version) continue;
    TRY_ASSIGN(const std::string select, changed_since(kind, built));
    changed += fmt::format("{}({})", changed.empty() ? "" : " UNION ALL ", select);
  }
  if (changed.empty()) changed = "SELECT CAST(NULL AS BIGINT) AS ind WHERE false";
  return workspace_.session().run(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT DISTINCT ind FROM ({})", kTouched, changed));
}

Result<void> Model::show_all() {
  for (const auto& [kind, table] : cleaned_) {
    TRY_ASSIGN(const sql::Statement latest, statements_.find(fmt::format("model/latest_{}", to_string(kind))));
    TRY_ASSIGN(const std::string select, table->select_all());
    TRY(workspace_.show(latest, select));
  }
  return {};
}

Result<void> Model::show_touched() {
  for (const auto& [kind, table] : cleaned_) {
    TRY_ASSIGN(const sql::Statement latest, statements_.find(fmt::format("model/latest_{}", to_string(kind))));
    TRY_ASSIGN(const auto paths, table->files_that_may_hold(std::string(kTouched)));
    TRY_ASSIGN(const std::string rows, delta::select_files(context_.store, table_of(kind), table->snapshot(), paths));
    TRY(workspace_.show(latest, fmt::format("SELECT * FROM ({}) WHERE ind IN (SELECT ind FROM {})", rows, kTouched)));
  }
  return {};
}

// The statement over all records: for each million posts one, with the places and users that may belong to them, so that old posts that
// change later lie in files of bounded size.
Result<std::vector<std::string>> Model::whole_selects(const sql::Statement& statement) {
  const delta::Snapshot& pins = cleaned_.at(records::Kind::kPin)->snapshot();
  if (!statement.built_in || pins.rows() <= kPostsAtOnce) return std::vector{Workspace::select_of(statement)};
  std::vector<std::string> selects;
  for (const PostsPart& part : cut_by_posts(pins, kPostsAtOnce)) {
    std::string records;
    for (const auto& [kind, table] : cleaned_) {
      TRY_ASSIGN(const std::string rows, kind == records::Kind::kPin
                                             ? delta::select_files(context_.store, table_of(kind), pins, part.pins)
                                             : table->select_posts(part.posts));
      records += fmt::format("{}latest_{} AS ({})", records.empty() ? "" : ", ", to_string(kind), rows);
    }
    selects.push_back(fmt::format("WITH {} SELECT * FROM ({}) AS posts", records, statement.text));
  }
  return selects;
}

Result<PostsUpdate> Model::write_posts(KeyedTable& posts, bool rebuild) {
  TRY_ASSIGN(const sql::Statement statement, statements_.find("model/posts"));
  PostsUpdate update;
  TRY_ASSIGN(const auto why, why_rebuild(posts.snapshot(), statement));
  update.rebuilt = rebuild || why;
  update.why = rebuild ? "it was asked for" : why.value_or("");
  if (!update.rebuilt) {
    TRY(find_touched(posts.snapshot()));
    TRY_ASSIGN(update.touched, workspace_.count(kTouched));
    update.rebuilt = update.touched * kWorthRebuilding > static_cast<std::uint64_t>(posts.snapshot().rows());
    if (update.rebuilt) update.why = "most posts changed";
  }
  if (update.rebuilt) {
    TRY_ASSIGN(const auto selects, whole_selects(statement));
    TRY(posts.replace_all(selects, built_from(statement)));
  } else if (update.touched > 0) {
    TRY(show_touched());
    TRY(workspace_.session().run(
        fmt::format("CREATE OR REPLACE TEMP TABLE {} AS {}", kNewPosts, Workspace::select_of(statement))));
    TRY_ASSIGN(update.merged,
               posts.replace_posts(std::string(kTouched), std::string(kNewPosts), built_from(statement)));
    TRY(workspace_.session().run(fmt::format("DROP TABLE {}; DROP TABLE {}", kNewPosts, kTouched)));
    TRY(show_all());
  }
  return update;
}

Result<PostsUpdate> Model::update(bool rebuild) {
  TRY_ASSIGN(const sql::Statement posts_statement, statements_.find("model/posts"));
  TRY_ASSIGN(const sql::Statement people_statement, statements_.find("model/people"));
  TRY(show_all());
  TRY_ASSIGN(const auto posts, KeyedTable::open(context_, workspace_.session(), "batch_posts",
                                                std::string(kPostsDescription), Workspace::select_of(posts_statement)));
  TRY_ASSIGN(PostsUpdate update, write_posts(*posts, rebuild));
  // While the store takes the posts. People do not rest on them, but on the records.
  auto people = write_tables(context_, workspace_.session(),
                             {{.name = "batch_people",
                               .description = "One row per person",
                               .select = Workspace::select_of(people_statement)}});
  if (!people[0]) return fail(std::move(people[0]).error());
  TRY(commit(*posts, *people[0]));
  TRY_ASSIGN(const std::string all_posts, posts->select_all());
  TRY(workspace_.show(posts_statement, all_posts));
  TRY_ASSIGN(const auto snapshot,
             delta::read_snapshot(context_.store, context_.engine, "batch_people", tables_.at("batch_people").version));
  TRY_ASSIGN(const std::string all_people, delta::select_all(context_.store, "batch_people", snapshot));
  TRY(workspace_.show(people_statement, all_people));
  return update;
}

Result<void> Model::commit(KeyedTable& posts, WrittenTable& people) {
  std::vector<Work> commits;
  commits.emplace_back([&] { return posts.commit(); });
  commits.emplace_back([&]() -> Result<void> {
    TRY_ASSIGN(tables_["batch_people"], people.commit());
    return {};
  });
  TRY(at_once(std::move(commits)));
  tables_["batch_posts"] = {.version = posts.snapshot().version, .rows = posts.snapshot().rows()};
  return {};
}

}  // namespace pinflow::batch::internal
