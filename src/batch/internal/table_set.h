#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delta/table.h"
#include "disk/disk.h"
#include "sql/engine.h"

namespace pinflow::batch::internal {

// The tables that one run replaces. First every file is written, then every table is committed: what fails
// before leaves all tables as they were. Files of a set that is never committed are deleted with it. Owned by
// one thread; context and session outlive it.
class TableSet {
 public:
  TableSet(const delta::TableContext& context, sql::Session& session) : context_(context), session_(session) {}
  ~TableSet();
  TableSet(const TableSet&) = delete;
  TableSet& operator=(const TableSet&) = delete;

  // Writes the rows of a SELECT as the new content of table `name` and gives the file; empty: no rows. kInvalid: a column of a type that Delta
  // tables do not have, or a stored table with other columns.
  Result<std::optional<disk::Path>> write(const std::string& name, const std::string& description,
                                          const std::string& select);
  // Replaces the content of all tables, one commit each.
  Result<void> commit();
  std::map<std::string, std::uint64_t> rows() const;

 private:
  struct Pending {
    std::unique_ptr<delta::Table> table;
    std::vector<delta::DataFile> files;
    bool committed = false;
  };
  delta::TableContext context_;
  sql::Session& session_;
  std::map<std::string, Pending> pending_;
};

// Delta's word for a type of the engine: BIGINT is long. kInvalid: there is none.
Result<std::string> delta_type(std::string_view engine_type);

}  // namespace pinflow::batch::internal
