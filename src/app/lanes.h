#pragma once

#include <memory>
#include <string>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "doors/health.h"
#include "live/condenser.h"
#include "log/log.h"
#include "log/share.h"
#include "sink/sink.h"
#include "stream/stream_lane.h"

namespace pinflow::app {

// The role `sink`: a running sink and its share of the partitions. Environment, stores and log must outlive it.
struct SinkRole {
  std::unique_ptr<log::Share> share;
  std::unique_ptr<sink::Sink> sink;
};
Result<SinkRole> start_sink(Environment& environment, Stores& stores, log::Log& log);

// The role `stream`: a running stream lane likewise. `pipeline_id` is the same for all that write these tables.
struct StreamRole {
  KeeperEngine keeper;
  std::unique_ptr<log::Share> share;
  std::unique_ptr<stream::StreamLane> lane;
  // Over a cluster: what live metrics everywhere need of this process's part.
  std::unique_ptr<log::Share> live_share;
  std::unique_ptr<live::Condenser> condenser;
};
Result<StreamRole> start_stream(Environment& environment, Stores& stores, log::Log& log,
                                const std::string& pipeline_id);

// Each answers from memory: what would keep posts from going on to objects and tables.
void add_sink_check(doors::Health& health, const sink::Sink& sink);
void add_stream_check(doors::Health& health, const stream::StreamLane& lane);
void add_condenser_check(doors::Health& health, const live::Condenser& condenser);

}  // namespace pinflow::app
