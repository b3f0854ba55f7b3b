#pragma once

#include <memory>

#include "app/environment.h"
#include "aws/http.h"
#include "base/result.h"
#include "disk/disk.h"
#include "objects/object_store.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::app {

// Where an engine spills: its owner's alone while the lock is held.
struct SpillFolder {
  disk::Path path;
  std::unique_ptr<disk::FolderLock> lock;
};

// What the lanes and the reading commands stand on: the stores of objects and tables (folders of the data folder, or places in S3), the
// SQL engine, the SQL files.
struct Stores {
  std::unique_ptr<aws::HttpTransport> http;  // Of the stores in S3.
  std::unique_ptr<objects::ObjectStore> objects;
  std::unique_ptr<objects::ObjectStore> tables;
  SpillFolder spill;
  std::unique_ptr<sql::Engine> engine;
  sql::Statements statements;
};

// Opens them as the settings say. With `create` a store in S3 is asked at once whether two writers of a table are safe on it, and else
// before the first commit (kInvalid). kNotFound where there is no data folder (with the commands that make one), unless `create`.
Result<std::unique_ptr<Stores>> open_stores(Environment& environment, bool create = false);

struct KeeperEngine {
  SpillFolder spill;
  std::unique_ptr<sql::Engine> engine;
};

// An engine for what runs beside the lanes and may take its time: one thread, and a quarter of sql.memory_limit (128 MiB at least). It
// reaches the files that the stores' engine reaches.
Result<KeeperEngine> open_keeper_engine(Environment& environment, const Stores& stores);

}  // namespace pinflow::app
