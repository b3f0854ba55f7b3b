#include "emulator/internal/table_store.h"

#include <fmt/format.h>

#include "base/check.h"
#include "emulator/source.h"

namespace pinflow::emulator::internal {

std::string_view table_of(records::Kind kind) {
  switch (kind) {
    case records::Kind::kPin:
      return "pinterest_data";
    case records::Kind::kGeo:
      return "geolocation_data";
    case records::Kind::kUser:
      return "user_data";
  }
  CHECK(false, "a record kind outside its enum");
}

bool is_time_column(std::string_view name) {
  return name == "timestamp" || name == "date_joined";
}

Result<std::unique_ptr<TableStore>> open_store(const std::string& location, bool for_writing) {
  return is_database_url(location) ? open_mysql_store(location) : open_duckdb_store(location, for_writing);
}

std::string shown(const std::string& location) {
  const std::size_t at = location.rfind('@');
  return is_database_url(location) && at != std::string::npos ? "mysql://" + location.substr(at + 1) : location;
}

Result<std::unique_ptr<TableStore>> open_empty_store(const std::string& location, bool replace) {
  TRY_ASSIGN(auto store, open_store(location, true));
  for (const records::Kind kind : records::kKinds) {
    TRY_ASSIGN(const bool there, store->has_table(kind));
    if (there && !replace) {
      return fail(
          ErrorCode::kConflict,
          fmt::format("the source {} already has a table {}; nothing was changed. Say --replace to drop it, or name "
                      "another source",
                      shown(location), table_of(kind)));
    }
  }
  TRY(store->create_tables(replace));
  return store;
}

}  // namespace pinflow::emulator::internal
