#include "app/stores.h"

#include <cstdlib>

#include <fmt/core.h>

#include "aws/curl_http.h"
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
  options.region = s3.region;
  for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (options.region.empty()) options.region = variable(name);
  }
  if (options.region.empty()) options.region = "us-east-1";
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
  sql::EngineOptions engine;
  engine.memory_limit = config.sql.memory_limit;
  engine.threads = config.sql.threads;
  const disk::Path spill = environment.folder("state") / "spill";
  TRY(environment.disk->create_folders(spill));
  engine.temporary = spill;
  engine.folders = {environment.folder("tables")};
  // Local copies of what lies in S3.
  if (stores->http != nullptr) {
    TRY(environment.disk->create_folders(environment.folder("state") / "s3"));
    engine.folders.push_back(environment.folder("state") / "s3");
  }
  TRY_ASSIGN(stores->engine, sql::open_engine(engine));
  const auto& folder = config.sql.statements;
  TRY_ASSIGN(stores->statements, sql::Statements::load(folder.empty() ? std::nullopt : std::optional(folder)));
  return stores;
}

}  // namespace pinflow::app
