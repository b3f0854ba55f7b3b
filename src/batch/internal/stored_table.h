#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "delta/table.h"
#include "sql/engine.h"

namespace pinflow::batch::internal {

// Delta's word for a type of the engine: BIGINT is long. kInvalid: there is none.
Result<std::string> delta_type(std::string_view engine_type);

// A table with the columns of a SELECT. kInvalid names the column whose type Delta tables do not have.
Result<delta::TableSpec> spec_of(sql::Session& session, const std::string& name, const std::string& description,
                                 const std::string& select);

// A state of a table, as a publication names it.
struct StoredTable {
  delta::Version version;
  std::int64_t rows = 0;
};

// A table that gets the rows of a SELECT, as its content or behind what it has. The table is made where it is missing.
struct TableWrite {
  std::string name;
  std::string description;
  std::string select;
  std::vector<delta::Transaction> transactions = {};
  bool append = false;
};

// A table whose rows are written, but not committed. Dropped uncommitted, it leaves no file.
class WrittenTable final {
 public:
  // In one commit. On any thread. After an error the table is as it was, and no file is left.
  Result<StoredTable> commit();

 private:
  friend std::vector<Result<WrittenTable>> write_tables(const delta::TableContext&, sql::Session&,
                                                        const std::vector<TableWrite>&);
  std::unique_ptr<Random> random_;  // Of its own, since the table may be on another thread than its like.
  std::unique_ptr<delta::Table> table_;
  std::optional<delta::PendingFiles> files_;
  TableWrite write_;
};

// Writes several tables: the session runs their SELECTs one after the other, the rest is done at the same time. In their order; an error is
// that of one table alone.
std::vector<Result<WrittenTable>> write_tables(const delta::TableContext& context, sql::Session& session,
                                               const std::vector<TableWrite>& writes);

}  // namespace pinflow::batch::internal
