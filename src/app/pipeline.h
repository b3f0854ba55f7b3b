#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "doors/door_set.h"
#include "live/live_metrics.h"
#include "log/log.h"
#include "sink/sink.h"
#include "stream/stream_lane.h"

namespace pinflow::app {

// What a process does of the pipeline. All of it over an embedded log; over a cluster any part, in any number of processes.
struct Roles {
  bool serve = true;  // Doors, live metrics, queries.
  bool sink = true;
  bool stream = true;
  bool all() const { return serve && sink && stream; }
};

struct PipelineOptions {
  Roles roles{};
  // Gives the doors further routes, checks and metrics before they open; what it refers to must outlive the pipeline.
  std::function<void(doors::DoorSet&)> add{};
};

// The roles of this process. Built and taken down by one thread; the parts are safe to ask from any.
class Pipeline {
 public:
  virtual ~Pipeline() = default;  // Closes the doors and stops the lanes where they are.

  // Where the HTTP door listens: "http://127.0.0.1:8082". Without the role `serve` it has health and metrics alone.
  virtual std::string url() const = 0;
  // What Kafka clients take as bootstrap servers: "127.0.0.1:9092", or the brokers of the cluster.
  virtual std::string kafka_address() const = 0;
  virtual log::Log& log() = 0;
  // Of roles that this process has.
  virtual sink::Sink& sink() = 0;
  virtual stream::StreamLane& stream() = 0;
  virtual live::LiveMetrics& live() = 0;

  // Waits until sink, stream lane and live metrics have taken all that is in the log now, of the partitions that are theirs.
  // kUnavailable: not within `timeout`; the message names what hinders.
  virtual Result<void> catch_up(std::chrono::milliseconds timeout, std::stop_token stop) = 0;
  // Reads tokens and access keys again, and the doors' certificate files, these for connections that begin from now on. What cannot be used is told in the log and
  // changes nothing. From any thread, while the doors are open.
  virtual void reload_files() = 0;
  // Takes no more posts: answers those in flight and closes the doors.
  virtual void close_doors() = 0;
};

// Opens the data folder (making it where it is missing) and the log, makes the default topics and streams, starts the lanes and last the
// doors: when this returns, posts are taken. `environment` and `stores` must outlive the pipeline. kInvalid: a part of the roles over an
// embedded log, which is one process's.
Result<std::unique_ptr<Pipeline>> start_pipeline(Environment& environment, Stores& stores,
                                                 const PipelineOptions& options = {});

}  // namespace pinflow::app
