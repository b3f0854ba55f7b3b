#include "query/table_views.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "base/timestamp.h"
#include "batch/published.h"
#include "query/statement_fence.h"
#include "stream/latest.h"

namespace pinflow::query {

namespace {

// Nothing where it is no version.
std::optional<delta::Version> version_of(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty() || digits.front() == '-')
    return {};
  return delta::Version(number);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "shop=7, other=9".
std::optional<std::map<std::string, delta::Version>> versions_of(std::string_view text) {
  std::map<std::string, delta::Version> versions;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, comma);
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) return {};
    const auto version = version_of(trimmed(one.substr(equals + 1)));
    const std::string name = in_small_letters(trimmed(one.substr(0, equals)));
    if (!version || name.empty() || !versions.emplace(name, *version).second) return {};
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return versions;
}

}  // namespace

Result<ReadAt> parse_read_at(std::string_view text) {
  if (const auto version = version_of(text)) return ReadAt{.all = *version};
  if (const auto time = parse_iso8601(text)) return ReadAt{.all = *time};
  if (auto versions = versions_of(text); versions && !versions->empty()) return ReadAt{.tables = *std::move(versions)};
  return fail(ErrorCode::kInvalid,
              fmt::format("as_of is '{}': expected a time (2026-11-22T10:15:00Z), a version (7), or versions of tables "
                          "(shop=7, other=9)",
                          text));
}

Result<TableViews> views_for(std::string_view statement, objects::ObjectStore& tables, sql::Engine& engine,
                             const records::Names& names, const ReadAt& read_at) {
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
  // A table of the batch in the version that readers shall see, but where another state is asked for.
  const auto state_of = [&](const std::string& name) {
    if (const auto own = read_at.tables.find(in_small_letters(name)); own != read_at.tables.end())
      return delta::AsOf(own->second);
    if (!publication || !std::holds_alternative<std::monostate>(read_at.all)) return read_at.all;
    const auto published = publication->tables.find(name);
    return published == publication->tables.end() ? read_at.all : delta::AsOf(published->second.version);
  };
  std::set<std::string> read;
  for (const std::string& name : all) {
    if (!is_plain_name(name)) continue;  // Made by others; SQL could take its name for a file.
    const auto view = latest.find(name);
    const bool wanted = is_named(name) || (view != latest.end() && is_named(view->second));
    std::string select;
    if (wanted) {
      TRY_ASSIGN(const auto snapshot, delta::read_snapshot(tables, engine, name, state_of(name)));
      TRY_ASSIGN(select, delta::select_all(tables, name, snapshot));
      result.versions.emplace(name, snapshot.version.value());
      read.insert(in_small_letters(name));
    }
    add(name, select);
    if (view != latest.end()) add(view->second, wanted ? stream::latest_per_ind(select) : "");
  }
  for (const auto& [name, version] : read_at.tables) {
    if (!read.contains(name))
      return fail(ErrorCode::kInvalid,
                  fmt::format("as_of gives a version of {}, which the statement does not read", name));
  }
  return result;
}

}  // namespace pinflow::query
