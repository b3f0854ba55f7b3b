#include "app/stores.h"

#include <fmt/core.h>

#include "objects/folder_store.h"

namespace pinflow::app {

Result<std::unique_ptr<Stores>> open_stores(Environment& environment, bool create) {
  const config::Config& config = environment.config();
  if (!create && !environment.disk->describe(config.data.folder)) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("there is no data folder {}. `pinflow demo` makes one with data, `pinflow up` an empty one; name "
                    "another with --data.",
                    config.data.folder.string()));
  }
  auto stores = std::make_unique<Stores>();
  TRY_ASSIGN(stores->objects, objects::open_folder_store(*environment.disk, environment.folder("objects")));
  TRY_ASSIGN(stores->tables, objects::open_folder_store(*environment.disk, environment.folder("tables")));
  sql::EngineOptions engine;
  engine.memory_limit = config.sql.memory_limit;
  engine.threads = config.sql.threads;
  const disk::Path spill = environment.folder("state") / "spill";
  TRY(environment.disk->create_folders(spill));
  engine.temporary = spill;
  engine.folders = {environment.folder("tables")};
  TRY_ASSIGN(stores->engine, sql::open_engine(engine));
  const auto& folder = config.sql.statements;
  TRY_ASSIGN(stores->statements, sql::Statements::load(folder.empty() ? std::nullopt : std::optional(folder)));
  return stores;
}

}  // namespace pinflow::app
