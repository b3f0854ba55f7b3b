#include "app/stream_options.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/random.h"
#include "base/uuid.h"

namespace pinflow::app {

Result<std::string> pipeline_id(Environment& environment) {
  const disk::Path path = environment.folder("state") / "pipeline.json";
  const auto text = environment.disk->read_file(path);
  if (text) {
    const std::size_t at = text->find(R"("id":")");
    if (at == std::string::npos || text->size() < at + 42) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("{} does not hold a pipeline id. Restore it from a backup: with another id the "
                              "stream lane would load the whole log a second time.",
                              path.string()));
    }
    return text->substr(at + 6, 36);
  }
  if (text.error().code != ErrorCode::kNotFound) return fail(text.error());
  Random random(entropy_seed());
  std::string id = Uuid::random(random).to_string();
  JsonWriter json;
  json.begin_object().key("format").integer(1).key("id").string(id).end_object();
  TRY(environment.disk->write_file(path, std::move(json).take()));
  return id;
}

Result<stream::StreamOptions> stream_options(const config::Config& config, const std::string& pipeline_id) {
  auto start = stream::parse_position(config.stream.start);
  if (!start) return fail(std::move(start.error()).with_context("stream.start"));
  stream::StreamOptions options;
  options.pipeline_id = pipeline_id;
  options.names = {config.topics.prefix};
  options.start = *start;
  options.commit_interval = config.stream.commit_interval;
  options.max_commit_interval = config.stream.max_commit_interval;
  options.freshness = config.stream.freshness;
  options.max_batch_records = config.stream.max_batch_records;
  options.max_batch_bytes = config.stream.max_batch_size;
  options.batch_memory = config.stream.batch_memory;
  options.keep_unknown_members = config.stream.keep_unknown_members;
  options.partition_by_date = config.stream.partition_by == "date";
  options.checkpoint_interval = config.stream.checkpoint_interval;
  options.optimize_interval = config.stream.optimize_interval;
  return options;
}

}  // namespace pinflow::app
