#include "query/table_views.h"

#include <variant>

#include "batch/published.h"
#include "query/statement_fence.h"
#include "stream/latest.h"

namespace pinflow::query {

Result<TableViews> views_for(std::string_view statement, objects::ObjectStore& tables, sql::Engine& engine,
                             const records::Names& names, const delta::AsOf& as_of) {
  const std::string text = in_small_letters(statement);
  const auto is_named = [&](std::string_view name) { return text.find(in_small_letters(name)) != std::string::npos; };
  std::map<std::string, std::string> latest;  // Views by the name of their table.
  for (const records::Kind kind : records::kKinds) latest.emplace(names.table(kind), names.latest_view(kind));
  TableViews result;
  const auto add = [&](const std::string& name, const std::string& select) {
    const bool at_hand = is_named(name);
    result.views.push_back({name, at_hand ? select : "SELECT NULL AS not_read WHERE false", at_hand});
  };
  TRY_ASSIGN(const auto all, delta::list_tables(tables));
  const auto publication = batch::read_publication(tables);
  if (!publication && publication.error().code != ErrorCode::kNotFound) return fail(publication.error());
  // A table of the batch in the version that readers shall see, but where another time is asked for.
  const auto state_of = [&](const std::string& name) {
    if (!publication || !std::holds_alternative<std::monostate>(as_of)) return as_of;
    const auto published = publication->tables.find(name);
    return published == publication->tables.end() ? as_of : delta::AsOf(published->second.version);
  };
  for (const std::string& name : all) {
    if (!is_plain_name(name)) continue;  // Made by others; SQL could take its name for a file.
    const auto view = latest.find(name);
    const bool wanted = is_named(name) || (view != latest.end() && is_named(view->second));
    std::string select;
    if (wanted) {
      TRY_ASSIGN(const auto snapshot, delta::read_snapshot(tables, engine, name, state_of(name)));
      TRY_ASSIGN(select, delta::select_all(tables, name, snapshot));
      result.versions.emplace(name, snapshot.version.value());
    }
    add(name, select);
    if (view != latest.end()) add(view->second, wanted ? stream::latest_per_ind(select) : "");
  }
  return result;
}

}  // namespace pinflow::query
