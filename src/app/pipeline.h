#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "live/live_metrics.h"
#include "log/log.h"
#include "sink/sink.h"
#include "stream/stream_lane.h"

namespace pinflow::app {

// All roles of one machine in this process: log, consumer groups, doors, sink, stream lane, live metrics. Built and taken down by one thread;
// the parts are safe to ask from any.
class Pipeline {
 public:
  virtual ~Pipeline() = default;  // Closes the doors and stops the lanes where they are.

  // Where the HTTP door listens: "http://127.0.0.1:8082".
  virtual std::string url() const = 0;
  // What Kafka clients take as bootstrap server: "127.0.0.1:9092".
  virtual std::string kafka_address() const = 0;
  virtual log::Log& log() = 0;
  virtual sink::Sink& sink() = 0;
  virtual stream::StreamLane& stream() = 0;
  virtual live::LiveMetrics& live() = 0;

  // Waits until sink, stream lane and live metrics have taken all that is in the log now. kUnavailable: not within
  // `timeout`; the message names what hinders.
  virtual Result<void> catch_up(std::chrono::milliseconds timeout, std::stop_token stop) = 0;
  // Reads tokens and access keys again, and the doors' certificate files, these for connections that begin from now on. What cannot be used is told in the log and
  // changes nothing. From any thread, while the doors are open.
  virtual void reload_files() = 0;
  // Takes no more posts: answers those in flight and closes the doors.
  virtual void close_doors() = 0;
};

// Opens the data folder (making it where it is missing), makes the default topics and streams, starts the lanes and last the
// doors: when this returns, posts are taken. `environment` and `stores` must outlive the pipeline.
Result<std::unique_ptr<Pipeline>> start_pipeline(Environment& environment, Stores& stores);

}  // namespace pinflow::app
