#include "app/online_check.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include <fmt/core.h>

#include "app/kinesis_remote.h"
#include "app/pipeline_log.h"
#include "base/random.h"
#include "base/uuid.h"
#include "records/kind.h"

namespace pinflow::app {

namespace {

constexpr std::string_view kContent = "pinflow config check --online made this; it may be removed.\n";

// Adds what was tried to an error.
Result<void> tried(Result<void> done, std::string_view what) {
  if (done) return done;
  return fail(std::move(done).error().with_context(fmt::format("may not {}", what)));
}

template <class T>
Result<void> only_error(const Result<T>& result) {
  return result ? Result<void>() : Result<void>(fail(result.error()));
}

Result<void> use_object(objects::ObjectStore& store, const std::string& name) {
  const auto read = store.get(name);
  TRY(tried(only_error(read), "read objects"));
  if (*read != kContent) return fail(ErrorCode::kCorrupt, fmt::format("{} came back as something else", name));
  const auto listed = store.list(name.substr(0, name.rfind('/') + 1));
  TRY(tried(only_error(listed), "list objects"));
  if (std::ranges::find(*listed, name, &objects::ObjectInfo::name) == listed->end())
    return fail(ErrorCode::kUnavailable, fmt::format("{} was put, and a listing does not have it", name));
  const auto again = store.put_new(name, kContent);
  if (again || again.error().code != ErrorCode::kConflict) {
    return fail(ErrorCode::kInvalid,
                again ? "an object was put in the place of another: two writers of a table would overwrite each "
                        "other; the store must know If-None-Match"
                      : again.error().message);
  }
  return {};
}

Result<void> check_cluster(Environment& environment) {
  TRY_ASSIGN(const PipelineLog opened, open_log_to_read(environment));
  log::Log& log = opened.log();
  const records::Names names{environment.config().topics.prefix};
  const live::CondensedTopic condensed = condensed_topic(environment.config());
  std::vector<std::string> wanted;
  for (const records::Kind kind : records::kKinds) {
    wanted.push_back(names.topic(kind));
    wanted.push_back(names.stream(kind));
  }
  wanted.push_back(condensed.name);
  std::string missing;
  for (const std::string& name : wanted) {
    const auto topic = log.topic(name);
    if (!topic && topic.error().code == ErrorCode::kNotFound) {
      missing += (missing.empty() ? "" : ", ") + name;
      continue;
    }
    TRY(tried(only_error(topic), fmt::format("describe topic {}", name)));
    TRY(tried(only_error(log.offsets({name, log::PartitionId(0)})), fmt::format("read topic {}", name)));
    if (name == condensed.name) TRY(live::check_condensed(condensed, *topic));
  }
  for (const char* const group : {"pinflow-sink", "pinflow-stream", "pinflow-live"})
    TRY(tried(only_error(log.committed_offsets(group)), fmt::format("read the positions of group {}", group)));
  if (missing.empty()) return {};
  return fail(
      ErrorCode::kNotFound,
      fmt::format(
          "topics that are not there yet: {}. The first role that starts makes them if it may create "
          "topics; else make them beforehand, each with {} partitions (topics.partitions), and {} (live.topic) with {} "
          "and cleanup.policy=compact",
          missing, environment.config().topics.partitions, condensed.name, live::condensed_spec(condensed).partitions));
}

Result<void> check_program(const std::string& program) {
  const auto runs = [](const std::filesystem::path& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (program.find('/') != program.npos) {
    if (runs(program)) return {};
  } else if (const char* const path = std::getenv("PATH"); path != nullptr) {
    std::string_view folders = path;
    while (!folders.empty()) {
      const std::size_t end = std::min(folders.find(':'), folders.size());
      if (runs(std::filesystem::path(folders.substr(0, end)) / program)) return {};
      folders.remove_prefix(std::min(end + 1, folders.size()));
    }
  }
  return fail(ErrorCode::kNotFound, fmt::format("{} is no program that can be run here: install Spark, or set "
                                                "batch.spark_submit to its spark-submit",
                                                program));
}

}  // namespace

Result<void> check_store(objects::ObjectStore& store, std::string_view id) {
  const std::string name = fmt::format("pinflow/check/{}", id);
  TRY(tried(store.put_new(name, kContent), "put objects"));
  Result<void> used = use_object(store, name);
  Result<void> removed = tried(store.remove(name), fmt::format("remove objects ({} is left behind)", name));
  return used ? removed : used;
}

void check_online(Environment& environment, const CheckReport& report) {
  const config::Config& config = environment.config();
  Random random(entropy_seed());
  const std::string id = Uuid::random(random).to_string();
  if (const auto stores = open_stores(environment, true)) {
    report("objects", check_store(*(*stores)->objects, id));
    report("tables", check_store(*(*stores)->tables, id));
  } else {
    report("stores", fail(stores.error()));
  }
  if (config.log.engine == "kafka") report("Kafka", check_cluster(environment));
  if (!config.kinesis.forward_to.empty()) report("Kinesis", check_kinesis_forward(environment));
  if (!config.kinesis.read_from.empty()) report("Kinesis", check_kinesis_source(environment));
  if (config.batch.engine == "spark") report("Spark", check_program(config.batch.spark_submit));
}

}  // namespace pinflow::app
