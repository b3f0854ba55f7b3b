#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delta/table.h"

namespace pinflow::delta::internal {

// Deletes a file that no commit names; a failure is a warning.
void discard_file(objects::ObjectStore& store, Logger& logger, const std::string& table, const DataFile& file);

// Writes rows into new data files of one table. Owned by the table's thread; what the context names outlives it.
class DataWriter {
 public:
  DataWriter(const TableContext& context, std::string table) : context_(context), table_(std::move(table)) {}

  // The columns that a SELECT gives.
  static Result<std::vector<sql::ColumnInfo>> columns_of(sql::Session& session, std::string_view select);

  // Writes the rows of a SELECT that gives all columns of `schema`: one file for each partition value, or at most one in a
  // table without partition columns. The store may still take them. After an error none is left in the store.
  Result<PendingFiles> write(sql::Session& session, std::string_view select, const std::vector<Field>& schema,
                             const std::vector<std::string>& partition_columns);

 private:
  struct Part {
    PartitionValues values;
    std::int64_t rows = 0;
    std::string condition;  // SQL that holds for the part's rows alone.
  };
  Result<std::vector<Part>> find_parts(sql::Session& session, const std::string& source,
                                       const std::vector<std::string>& partition_columns);
  Result<void> write_parts(sql::Session& session, std::string source, const std::vector<Field>& fields,
                           const std::vector<std::string>& partition_columns, PendingFiles& files);
  // Gives the rows; without any there is no file.
  Result<std::int64_t> write_one(sql::Session& session, const std::string& select, const std::vector<Field>& fields,
                                 const std::string& folder, PartitionValues values, PendingFiles& files);

  const TableContext context_;
  const std::string table_;
};

}  // namespace pinflow::delta::internal
