#pragma once

#include <memory>

#include "app/environment.h"
#include "base/result.h"
#include "groups/positions_log.h"
#include "live/condensed_intake.h"
#include "log/embedded_log.h"

namespace pinflow::app {

// When a success is answered, by the word of `log.durability`.
log::Durability durability(const config::Config& config);

// The log of the pipeline, by `log.engine`, with the topics and streams of posts in it.
struct PipelineLog {
  std::unique_ptr<log::EmbeddedLog> embedded;  // Null: the topics lie in a cluster.
  std::unique_ptr<log::Log> cluster;
  std::unique_ptr<groups::PositionsLog> positions;  // Of the doors' consumer groups, over the cluster.

  log::Log& log() const { return embedded ? static_cast<log::Log&>(*embedded) : *cluster; }
  log::BrokerLog& groups() const { return embedded ? static_cast<log::BrokerLog&>(*embedded) : *positions; }
};

// kConflict: another process has the embedded log open.
Result<PipelineLog> open_pipeline_log(Environment& environment);

// The topic of condensed streams, over a cluster.
live::CondensedTopic condensed_topic(const config::Config& config);

// To look at its records alone, also while pinflow runs. Has no groups.
Result<PipelineLog> open_log_to_read(Environment& environment);

// The place of its topics, for messages.
std::string log_place(const Environment& environment);

}  // namespace pinflow::app
