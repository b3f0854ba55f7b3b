#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delta/table.h"
#include "objects/object_store.h"
#include "records/kind.h"
#include "sql/engine.h"

namespace pinflow::query {

// Which state of the tables a statement reads: `all` of every table but of those in `tables` (by name, in small letters). Without either,
// the newest, or for tables of the batch the published one.
struct ReadAt {
  delta::AsOf all = {};
  std::map<std::string, delta::Version> tables = {};
};

// Reads "2026-11-22T10:15:00Z", "7" (that version of each table that the statement names) or "shop=7, other=9", as Pinflow-Table-Versions
// gives them. kInvalid.
Result<ReadAt> parse_read_at(std::string_view text);

// A table as a statement sees it.
struct TableView {
  std::string name;
  std::string select;    // Gives its rows in one version; no rows where it is not at hand.
  bool at_hand = false;  // Whether the statement's text holds the name; the files of others are not even looked at.
};

struct TableViews {
  std::vector<TableView> views;
  std::map<std::string, std::int64_t> versions;  // Of the tables at hand.
};

// The tables of a store, and for each streamed table the view of its latest rows, as of one moment: a table is read in the same version
// however often a statement names it. Tables of the batch are read in the versions that the last run published, all of the same run.
// Blocks (reads the store). kNotFound where a table has no such version or was not there then; kInvalid where `read_at` has a table that
// the statement does not name.
Result<TableViews> views_for(std::string_view statement, objects::ObjectStore& tables, sql::Engine& engine,
                             const records::Names& names, const ReadAt& read_at = {});

}  // namespace pinflow::query
