#include "batch/internal/model.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batch/internal/at_once.h"
#include "batch/internal/positions.h"
#include "batch/internal/posts_parts.h"

namespace pinflow::batch::internal {

namespace {

constexpr const char* kPosts = "batch_posts";
constexpr const char* kPeople = "batch_people";
// Tables of the session: posts of which a record changed and what is made of them, people whose posts they are or were, all posts of these
// and what is made of those.
constexpr const char* kTouched = "pinflow_touched";
constexpr const char* kNewPosts = "pinflow_new_posts";
constexpr const char* kPersons = "pinflow_persons";
constexpr const char* kTheirPosts = "pinflow_their_posts";
constexpr const char* kNewPeople = "pinflow_new_people";
// Of so many posts, to make each anew costs more than to make all.
constexpr std::uint64_t kWorthRebuilding = 4;
// Posts that are made by one statement into one file.
constexpr std::int64_t kPostsAtOnce = 1'000'000;
// Who a person is, in batch_user and batch_people.
const std::vector<std::string> kPerson = {"user_name", "age", "date_joined"};

std::string table_of(records::Kind kind) {
  return fmt::format("batch_{}", to_string(kind));
}

std::string source_id(records::Kind kind) {
  return fmt::format("pinflow-batch/built-from {}", table_of(kind));
}

// What tells a record from an earlier one of the same post.
constexpr std::string_view kRecord = "ind, source_topic, source_partition, source_offset";

}  // namespace

std::vector<delta::Transaction> Model::built_from(const std::string& name, const sql::Statement& statement) const {
  std::vector<delta::Transaction> transactions = {made_by(name, statement.text)};
  for (const auto& [kind, table] : cleaned_) {
    transactions.push_back({source_id(kind), table->snapshot().version.value()});
  }
  return transactions;
}

Result<std::optional<std::string>> Model::why_rebuild(const delta::Snapshot& made, const std::string& name,
                                                      const sql::Statement& statement) {
  if (made.files.empty()) return "the table has no rows yet";
  if (!statement.built_in)
    return fmt::format("{}.sql is not the built-in one, so any row may depend on any record", statement.name);
  if (!is_made_by(made, name, statement.text)) return fmt::format("{}.sql changed", statement.name);
  for (const auto& [kind, table] : cleaned_) {
    const auto built = made.transactions.find(source_id(kind));
    if (built == made.transactions.end() || built->second > table->snapshot().version.value())
      return fmt::format("{} is another table than before", table_of(kind));
    if (built->second == table->snapshot().version.value()) continue;
    const auto before =
        delta::read_snapshot(context_.store, context_.engine, table_of(kind), delta::Version(built->second));
    if (!before) return fmt::format("version {} of {} is not there any more", built->second, table_of(kind));
  }
  return std::nullopt;
}

Result<Model::Changes> Model::changes_since(records::Kind kind, delta::Version version) {
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
  Changes changes;
  TRY_ASSIGN(changes.came, delta::select_files(context_.store, table_of(kind), now, came));
  TRY_ASSIGN(changes.went, delta::select_files(context_.store, table_of(kind), before, went));
  return changes;
}

// The posts of which a record changed since a table was made: the difference of the rows that came and went, so that files that were only
// put together do not count.
Result<void> Model::find_touched(const delta::Snapshot& made) {
  std::string changed;
  for (const auto& [kind, table] : cleaned_) {
    const delta::Version built(made.transactions.at(source_id(kind)));
    if (built == table->snapshot().version) continue;
    TRY_ASSIGN(const Changes changes, changes_since(kind, built));
    changed += fmt::format(
        "{0}((SELECT {1} FROM ({2}) EXCEPT ALL SELECT {1} FROM ({3})) UNION ALL "
        "(SELECT {1} FROM ({3}) EXCEPT ALL SELECT {1} FROM ({2})))",
        changed.empty() ? "" : " UNION ALL ", kRecord, changes.came, changes.went);
  }
  if (changed.empty()) changed = "SELECT CAST(NULL AS BIGINT) AS ind WHERE false";
  return workspace_.session().run(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT DISTINCT ind FROM ({})", kTouched, changed));
}

// The people who have one of the touched posts, or had it when batch_people was made, and all their posts. Nobody is nobody's person.
Result<void> Model::find_people(const delta::Snapshot& people) {
  const KeyedTable& users = *cleaned_.at(records::Kind::kUser);
  TRY_ASSIGN(const auto paths, users.files_that_may_hold(kTouched));
  const std::string table = table_of(records::Kind::kUser);
  TRY_ASSIGN(const std::string now, delta::select_files(context_.store, table, users.snapshot(), paths));
  TRY_ASSIGN(
      const Changes changes,
      changes_since(records::Kind::kUser, delta::Version(people.transactions.at(source_id(records::Kind::kUser)))));
  const std::string person = fmt::format("{}", fmt::join(kPerson, ", "));
  TRY(workspace_.session().run(fmt::format(
      "CREATE OR REPLACE TEMP TABLE {0} AS SELECT DISTINCT {1} FROM (SELECT ind, {1} FROM ({2}) UNION ALL SELECT ind, "
      "{1} "
      "FROM ({3})) WHERE ind IN (SELECT ind FROM {4}) AND coalesce({5}) IS NOT NULL",
      kPersons, person, now, changes.went, kTouched, "user_name, CAST(age AS VARCHAR), CAST(date_joined AS VARCHAR)")));
  TRY_ASSIGN(const std::string all, users.select_all());
  return workspace_.session().run(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT o.ind FROM ({}) AS o WHERE EXISTS (SELECT 1 FROM {} AS n "
                  "WHERE {})",
                  kTheirPosts, all, kPersons, same_key(kPerson)));
}

Result<void> Model::show_all() {
  for (const auto& [kind, table] : cleaned_) {
    TRY_ASSIGN(const sql::Statement latest, statements_.find(fmt::format("model/latest_{}", to_string(kind))));
    TRY_ASSIGN(const std::string select, table->select_all());
    TRY(workspace_.show(latest, select));
  }
  return {};
}

// Shows the records of some posts alone.
Result<void> Model::show_some(const std::string& posts) {
  for (const auto& [kind, table] : cleaned_) {
    TRY_ASSIGN(const sql::Statement latest, statements_.find(fmt::format("model/latest_{}", to_string(kind))));
    TRY_ASSIGN(const auto paths, table->files_that_may_hold(posts));
    TRY_ASSIGN(const std::string rows, delta::select_files(context_.store, table_of(kind), table->snapshot(), paths));
    TRY(workspace_.show(latest, fmt::format("SELECT * FROM ({}) WHERE ind IN (SELECT ind FROM {})", rows, posts)));
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

Result<PostsUpdate> Model::write_posts(KeyedTable& posts, const sql::Statement& statement, bool rebuild) {
  PostsUpdate update;
  TRY_ASSIGN(const auto why, why_rebuild(posts.snapshot(), kPosts, statement));
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
    TRY(posts.replace_all(selects, built_from(kPosts, statement)));
  } else if (update.touched > 0) {
    TRY(show_some(kTouched));
    TRY(workspace_.session().run(
        fmt::format("CREATE OR REPLACE TEMP TABLE {} AS {}", kNewPosts, Workspace::select_of(statement))));
    TRY_ASSIGN(update.merged, posts.replace_rows(kTouched, kNewPosts, built_from(kPosts, statement)));
    TRY(workspace_.session().run(fmt::format("DROP TABLE {}", kNewPosts)));
    TRY(show_all());
  }
  return update;
}

Result<void> Model::write_people(KeyedTable& people, const sql::Statement& statement, bool rebuild) {
  TRY_ASSIGN(const auto why, why_rebuild(people.snapshot(), kPeople, statement));
  bool whole = rebuild || why;
  if (!whole) {
    TRY(find_touched(people.snapshot()));
    TRY_ASSIGN(const std::uint64_t touched, workspace_.count(kTouched));
    if (touched == 0) return {};
    const auto posts = static_cast<std::uint64_t>(cleaned_.at(records::Kind::kUser)->snapshot().rows());
    whole = touched * kWorthRebuilding > posts;
    if (!whole) {
      TRY(find_people(people.snapshot()));
      TRY_ASSIGN(const std::uint64_t theirs, workspace_.count(kTheirPosts));
      whole = theirs * kWorthRebuilding > posts;
    }
  }
  if (whole) return people.replace_all({Workspace::select_of(statement)}, built_from(kPeople, statement));
  TRY(show_some(kTheirPosts));
  TRY(workspace_.session().run(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS {}", kNewPeople, Workspace::select_of(statement))));
  TRY(people.replace_rows(kPersons, kNewPeople, built_from(kPeople, statement)));
  TRY(workspace_.session().run(
      fmt::format("DROP TABLE {}; DROP TABLE {}; DROP TABLE {}", kNewPeople, kTheirPosts, kPersons)));
  return show_all();
}

Result<PostsUpdate> Model::update(bool rebuild) {
  TRY_ASSIGN(const sql::Statement posts_statement, statements_.find("model/posts"));
  TRY_ASSIGN(const sql::Statement people_statement, statements_.find("model/people"));
  TRY(show_all());
  TRY_ASSIGN(const auto posts,
             KeyedTable::open(context_, workspace_.session(), kPosts, "Every post with its place, time and user",
                              Workspace::select_of(posts_statement)));
  TRY_ASSIGN(const auto people, KeyedTable::open(context_, workspace_.session(), kPeople, "One row per person",
                                                 Workspace::select_of(people_statement), kPerson));
  TRY_ASSIGN(PostsUpdate update, write_posts(*posts, posts_statement, rebuild));
  // While the store takes the posts. People do not rest on them, but on the records.
  TRY(write_people(*people, people_statement, rebuild));
  TRY(workspace_.session().run(fmt::format("DROP TABLE IF EXISTS {}", kTouched)));
  std::vector<Work> commits;
  for (KeyedTable* table : {posts.get(), people.get()}) commits.emplace_back([table] { return table->commit(); });
  TRY(at_once(std::move(commits)));
  TRY(show_made(*posts, kPosts, posts_statement));
  TRY(show_made(*people, kPeople, people_statement));
  return update;
}

Result<void> Model::show_made(const KeyedTable& table, const std::string& name, const sql::Statement& statement) {
  tables_[name] = {.version = table.snapshot().version, .rows = table.snapshot().rows()};
  TRY_ASSIGN(const std::string all, table.select_all());
  return workspace_.show(statement, all);
}

}  // namespace pinflow::batch::internal
