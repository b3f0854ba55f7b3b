#include "app/stream_options.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/random.h"
#include "base/uuid.h"

namespace pinflow::app {

namespace {

Result<std::string> read_id(std::string_view text, const std::string& where) {
  const std::size_t at = text.find(R"("id":")");
  if (at == std::string::npos || text.size() < at + 42) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("{} does not hold a pipeline id. Restore it from a backup: with another "
                            "id the stream lane would load the whole log a second time.",
                            where));
  }
  return std::string(text.substr(at + 6, 36));
}

constexpr const char* kSharedId = "pinflow/pipeline.json";

std::string id_text(const std::string& id) {
  JsonWriter json;
  json.begin_object().key("format").integer(1).key("id").string(id).end_object();
  return std::move(json).take();
}

std::string new_id() {
  Random random(entropy_seed());
  return id_text(Uuid::random(random).to_string());
}

}  // namespace

Result<std::string> pipeline_id(Environment& environment) {
  const disk::Path path = environment.folder("state") / "pipeline.json";
  const auto text = environment.disk->read_file(path);
  if (text) return read_id(*text, path.string());
  if (text.error().code != ErrorCode::kNotFound) return fail(text.error());
  const std::string made = new_id();
  TRY(environment.disk->write_file(path, made));
  return read_id(made, path.string());
}

Result<std::string> shared_pipeline_id(objects::ObjectStore& tables) {
  const std::string name = kSharedId;
  auto text = tables.get(name);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    // Of several that begin at the same time one puts it; whatever the answer, what lies there then counts.
    const auto put = tables.put_new(name, new_id());
    text = tables.get(name);
    if (!text && !put) return fail(put.error());
  }
  if (!text) return fail(std::move(text).error().with_context("the identity of the pipeline"));
  return read_id(*text, name);
}

Result<void> share_pipeline_id(objects::ObjectStore& tables, const std::string& id) {
  if (const auto put = tables.put_new(kSharedId, id_text(id)); !put && put.error().code != ErrorCode::kConflict)
    return put;
  TRY_ASSIGN(const std::string text, tables.get(kSharedId));
  TRY_ASSIGN(const std::string there, read_id(text, kSharedId));
  if (there == id) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("the tables there are of another pipeline ({} names {}, here it is {}): name another place, or "
                  "remove what is there if nobody needs it",
                  kSharedId, there, id));
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
