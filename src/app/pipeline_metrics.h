#pragma once

#include <string>

#include "doors/guard.h"
#include "doors/metrics.h"
#include "kinesis_source/stream_copy.h"
#include "live/condenser.h"
#include "live/event_hub.h"
#include "live/live_metrics.h"
#include "log/embedded_log.h"
#include "sink/sink.h"
#include "stream/stream_lane.h"

namespace pinflow::app {

// What GET /metrics tells of each part (docs/metrics.md has the list). All answer from memory.
void write_log_metrics(doors::MetricsWriter& out, log::EmbeddedLog& log, const std::string& durability);
void write_sink_metrics(doors::MetricsWriter& out, const sink::SinkStatus& status);
void write_stream_metrics(doors::MetricsWriter& out, const std::vector<stream::TableStatus>& status);
void write_kinesis_source_metrics(doors::MetricsWriter& out,
                                  const std::vector<kinesis_source::StreamCopyStatus>& status);
void write_refused_metrics(doors::MetricsWriter& out, const doors::RefusedCounts& refused);
void write_condenser_metrics(doors::MetricsWriter& out, const live::CondenserStatus& status);
void write_live_metrics(doors::MetricsWriter& out, const live::LiveStatus& status);
void write_event_metrics(doors::MetricsWriter& out, const live::EventCounts& counts);

}  // namespace pinflow::app
