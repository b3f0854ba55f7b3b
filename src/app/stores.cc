#include "app/stores.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>

#include "app/s3a_settings.h"
#include "aws/curl_http.h"
#include "base/random.h"
#include "base/uuid.h"
#include "base/wakeup.h"
#include "objects/folder_store.h"
#include "objects/s3_store.h"

namespace pinflow::app {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

objects::S3Options s3_options(const Environment& environment, const objects::S3Location& location, bool probe) {
  const auto& s3 = environment.config().s3;
  objects::S3Options options;
  options.bucket = location.bucket;
  options.prefix = location.prefix;
  options.endpoint = s3.endpoint;
  options.region = s3_region(environment.config(), variable);
  if (s3.path_style != "auto") options.path_style = s3.path_style == "true";
  options.credentials.from = s3.credentials;
  options.credentials.file = s3.credentials_file;
  options.credentials.profile = s3.profile;
  options.local = environment.folder("state") / "s3";
  options.cache_size = s3.cache_size;
  options.probe = probe;
  return options;
}

// The store that a setting names: a place in S3, or a folder of the data folder.
Result<std::unique_ptr<objects::ObjectStore>> open_store(Environment& environment, Stores& stores,
                                                         const std::string& location, std::string_view folder,
                                                         bool probe) {
  if (location.empty()) return objects::open_folder_store(*environment.disk, environment.folder(folder));
  if (!location.starts_with("s3://")) {
    return fail(ErrorCode::kInvalid,
                fmt::format("data.{} is {}: name a place as s3://bucket/prefix, or leave it empty", folder, location));
  }
  TRY_ASSIGN(const auto place, objects::parse_s3_location(location));
  if (stores.http == nullptr) stores.http = aws::make_curl_http();
  const auto pause = [stop = environment.stop](std::chrono::milliseconds time) { Wakeup::wait(time, stop); };
  auto store = objects::open_s3_store(
      s3_options(environment, place, probe),
      {*stores.http, *environment.disk, environment.clock, *environment.logger, variable, pause});
  if (!store) return fail(std::move(store.error()).with_context(fmt::format("opening {} (data.{})", location, folder)));
  return store;
}

// A folder below state/spill that is the owner's alone: two engines, of one process or of two, must not meet in their files. What a
// process left behind that was killed is nobody's, as its free lock tells, and goes.
Result<SpillFolder> make_spill_folder(Environment& environment) {
  disk::Disk& disk = *environment.disk;
  const disk::Path all = environment.folder("state") / "spill";
  TRY(disk.create_folders(all));
  TRY_ASSIGN(const auto entries, disk.list(all, [](std::string_view) { return true; }));
  for (const disk::Entry& entry : entries) {
    const disk::Path left = all / entry.name;
    if (!entry.is_directory) {
      TRY(disk.remove(left));
    } else if (disk.lock_folder(left)) {
      TRY(disk.remove_tree(left));
    }
  }
  Random random(entropy_seed());
  while (true) {
    SpillFolder made{.path = all / Uuid::random(random).to_string(), .lock = nullptr};
    TRY(disk.create_folders(made.path));
    auto lock = disk.lock_folder(made.path);
    // Another process may have found it before it was locked.
    if (!lock && (lock.error().code == ErrorCode::kNotFound || lock.error().code == ErrorCode::kConflict)) continue;
    if (!lock) return fail(lock.error());
    made.lock = *std::move(lock);
    return made;
  }
}

Result<sql::EngineOptions> engine_options(Environment& environment, const Stores& stores, const disk::Path& spill) {
  const config::Config& config = environment.config();
  sql::EngineOptions engine;
  engine.memory_limit = config.sql.memory_limit;
  engine.threads = config.sql.threads;
  engine.temporary = spill;
  engine.folders = {environment.folder("tables")};
  // Local copies of what lies in S3.
  if (stores.http != nullptr) {
    TRY(environment.disk->create_folders(environment.folder("state") / "s3"));
    engine.folders.push_back(environment.folder("state") / "s3");
  }
  return engine;
}

}  // namespace

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
  TRY_ASSIGN(stores->objects, open_store(environment, *stores, config.data.objects, "objects", create));
  TRY_ASSIGN(stores->tables, open_store(environment, *stores, config.data.tables, "tables", create));
  TRY_ASSIGN(stores->spill, make_spill_folder(environment));
  TRY_ASSIGN(const sql::EngineOptions engine, engine_options(environment, *stores, stores->spill.path));
  TRY_ASSIGN(stores->engine, sql::open_engine(engine));
  const auto& folder = config.sql.statements;
  TRY_ASSIGN(stores->statements, sql::Statements::load(folder.empty() ? std::nullopt : std::optional(folder)));
  return stores;
}

Result<KeeperEngine> open_keeper_engine(Environment& environment, const Stores& stores) {
  constexpr std::uint64_t kLeast = std::uint64_t{128} << 20;
  KeeperEngine keeper;
  TRY_ASSIGN(keeper.spill, make_spill_folder(environment));
  TRY_ASSIGN(sql::EngineOptions options, engine_options(environment, stores, keeper.spill.path));
  options.memory_limit = ByteCount(std::max(options.memory_limit.count() / 4, kLeast));
  options.threads = 1;
  TRY_ASSIGN(keeper.engine, sql::open_engine(options));
  return keeper;
}

}  // namespace pinflow::app
