#pragma once

#include <string>
#include <string_view>
#include <vector>

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

// Makes the rows of a SELECT the content of a table, or adds them to it, in one commit; the table is made where it is missing. After an
// error the table is as it was, and no file is left.
Result<StoredTable> replace_table(const delta::TableContext& context, sql::Session& session, const std::string& name,
                                  const std::string& description, const std::string& select,
                                  const std::vector<delta::Transaction>& transactions = {});
Result<StoredTable> append_to_table(const delta::TableContext& context, sql::Session& session, const std::string& name,
                                    const std::string& description, const std::string& select,
                                    const std::vector<delta::Transaction>& transactions);

}  // namespace pinflow::batch::internal
