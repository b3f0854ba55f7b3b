#include "app/batch_engine.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "app/s3a_settings.h"
#include "aws/curl_http.h"
#include "base/wakeup.h"
#include "spark/databricks_engine.h"
#include "spark/submit_engine.h"

namespace pinflow::app {

namespace {

constexpr std::string_view kS3 = "s3://";

// How an engine finds a store: a place in S3 under the scheme that the engine has for it, or a folder of the data folder.
std::string address_of(const Environment& environment, std::string location, std::string_view folder,
                       std::string_view scheme) {
  if (location.empty()) return "file://" + environment.folder(folder).string();
  while (location.ends_with('/')) location.pop_back();
  return std::string(scheme) + location.substr(kS3.size());
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    if (!part.empty()) parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

Result<std::string> read_text(disk::Disk& disk, const disk::Path& path, const char* setting) {
  auto text = disk.read_file(path);
  if (!text) return fail(std::move(text).error().with_context(fmt::format("reading {} ({})", path.string(), setting)));
  text->erase(text->find_last_not_of(" \t\r\n") + 1);
  return text;
}

Result<std::unique_ptr<batch::RemoteEngine>> open_databricks(Environment& environment, Stores& stores) {
  const auto& batch = environment.config().batch;
  const auto& data = environment.config().data;
  if (!data.objects.starts_with(kS3) || !data.tables.starts_with(kS3)) {
    return fail(
        ErrorCode::kInvalid,
        "batch.engine is databricks, which reads no folder of this machine: set data.objects and data.tables to "
        "places in S3 (s3://bucket/prefix)");
  }
  if (batch.databricks_host.empty())
    return fail(ErrorCode::kInvalid, "batch.engine is databricks: set batch.databricks_host");
  if (batch.databricks_cluster.empty() == batch.databricks_new_cluster.empty()) {
    return fail(ErrorCode::kInvalid,
                "batch.engine is databricks: set one of batch.databricks_cluster and batch.databricks_new_cluster");
  }
  spark::DatabricksOptions options;
  options.host = batch.databricks_host;
  while (options.host.ends_with('/')) options.host.pop_back();
  options.cluster = batch.databricks_cluster;
  if (options.cluster.empty()) {
    TRY_ASSIGN(options.new_cluster,
               read_text(*environment.disk, batch.databricks_new_cluster, "batch.databricks_new_cluster"));
  }
  options.token = [disk = environment.disk.get(), file = batch.databricks_token_file]() -> Result<std::string> {
    if (!file.empty()) return read_text(*disk, file, "batch.databricks_token_file");
    const char* const token = std::getenv("DATABRICKS_TOKEN");
    if (token != nullptr && *token != '\0') return std::string(token);
    return fail(ErrorCode::kInvalid, "no token for Databricks: set DATABRICKS_TOKEN or batch.databricks_token_file");
  };
  options.objects = address_of(environment, data.objects, "objects", kS3);
  options.tables = address_of(environment, data.tables, "tables", kS3);
  options.pause = [](std::chrono::milliseconds time, const std::stop_token& stop) { Wakeup::wait(time, stop); };
  if (stores.http == nullptr) stores.http = aws::make_curl_http();
  return spark::make_databricks_engine(*stores.http, std::move(options));
}

}  // namespace

Result<std::unique_ptr<batch::RemoteEngine>> open_batch_engine(Environment& environment, Stores& stores) {
  const auto& batch = environment.config().batch;
  if (batch.engine == "duckdb") return nullptr;
  if (batch.engine == "databricks") return open_databricks(environment, stores);
  const auto& data = environment.config().data;
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  };
  // Spark takes the last of two with one name: who runs it has the last word.
  std::vector<std::string> properties = s3a_settings(environment.config(), variable);
  std::ranges::move(split(batch.spark_conf), std::back_inserter(properties));
  return spark::make_submit_engine({.program = batch.spark_submit,
                                    .master = batch.spark_master,
                                    .packages = batch.spark_packages,
                                    .jars = batch.spark_jars,
                                    .properties = std::move(properties),
                                    .objects = address_of(environment, data.objects, "objects", "s3a://"),
                                    .tables = address_of(environment, data.tables, "tables", "s3a://")});
}

}  // namespace pinflow::app
