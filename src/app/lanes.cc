#include "app/lanes.h"

#include <algorithm>
#include <vector>

#include "app/pipeline_log.h"
#include "app/sink_options.h"
#include "app/stream_options.h"
#include "base/random.h"
#include "records/kind.h"

namespace pinflow::app {

Result<SinkRole> start_sink(Environment& environment, Stores& stores, log::Log& log) {
  TRY_ASSIGN(auto options, sink_options(environment, {environment.config().topics.prefix}));
  SinkRole role;
  TRY_ASSIGN(role.share, log.join(options.group, {}));  // The sink subscribes it to the topics that match.
  role.sink = std::make_unique<sink::Sink>(std::move(options), log, *stores.objects, environment.clock,
                                           *environment.logger, role.share.get());
  return role;
}

namespace {

Result<void> start_condenser(Environment& environment, log::Log& log, const std::vector<std::string>& streams,
                             StreamRole& role) {
  const config::Config& config = environment.config();
  live::CondenserOptions options;
  options.names = {config.topics.prefix};
  options.topic = condensed_topic(config);
  // A sixth: its pages hold three times as many posts, and as dense ids as real ones need no more.
  options.max_seen_pages = static_cast<std::size_t>(std::max<std::int64_t>(config.live.max_seen_pages / 6, 2));
  options.allowed_lateness = config.live.allowed_lateness;
  TRY_ASSIGN(role.live_share, log.join(options.group, streams));
  role.condenser = std::make_unique<live::Condenser>(std::move(options), log, *role.live_share, environment.clock,
                                                     *environment.logger);
  return {};
}

}  // namespace

Result<StreamRole> start_stream(Environment& environment, Stores& stores, log::Log& log,
                                const std::string& pipeline_id) {
  TRY_ASSIGN(const auto options, stream_options(environment.config(), pipeline_id));
  StreamRole role;
  TRY_ASSIGN(role.keeper, open_keeper_engine(environment, stores));
  std::vector<std::string> streams;
  for (const records::Kind kind : records::kKinds) streams.push_back(options.names.stream(kind));
  TRY_ASSIGN(role.share, log.join(options.group, streams));
  stream::StreamContext context{
      log, *stores.tables, *stores.engine, stores.statements, environment.clock, *environment.logger};
  context.keeper_engine = role.keeper.engine.get();
  context.share = role.share.get();
  Random random(entropy_seed());
  role.lane = std::make_unique<stream::StreamLane>(options, context, random);
  if (environment.config().log.engine == "kafka") TRY(start_condenser(environment, log, streams, role));
  return role;
}

void add_sink_check(doors::Health& health, const sink::Sink& sink) {
  health.add_check("sink", [&sink]() -> Result<void> {
    for (const sink::PartitionStatus& partition : sink.status_without_lag().partitions) {
      if (!partition.error.empty()) return fail(ErrorCode::kUnavailable, partition.error);
    }
    return {};
  });
}

void add_condenser_check(doors::Health& health, const live::Condenser& condenser) {
  health.add_check("live", [&condenser]() -> Result<void> {
    const live::CondenserStatus status = condenser.status();
    return status.error ? Result<void>(fail(ErrorCode::kUnavailable, *status.error)) : Result<void>();
  });
}

void add_stream_check(doors::Health& health, const stream::StreamLane& lane) {
  health.add_check("stream", [&lane]() -> Result<void> {
    for (const stream::TableStatus& table : lane.status_without_lag()) {
      if (!table.error.empty()) return fail(ErrorCode::kUnavailable, table.table + ": " + table.error);
    }
    return {};
  });
}

}  // namespace pinflow::app
