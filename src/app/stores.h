#pragma once

#include <memory>

#include "app/environment.h"
#include "base/result.h"
#include "objects/object_store.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::app {

// What the lanes and the reading commands stand on: the two stores of the data folder, the SQL engine, the SQL files.
struct Stores {
  std::unique_ptr<objects::ObjectStore> objects;
  std::unique_ptr<objects::ObjectStore> tables;
  std::unique_ptr<sql::Engine> engine;
  sql::Statements statements;
};

// Opens them as the settings say. kNotFound where there is no data folder (with the commands that make one), unless `create`.
Result<std::unique_ptr<Stores>> open_stores(Environment& environment, bool create = false);

}  // namespace pinflow::app
