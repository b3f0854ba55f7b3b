#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/access_parts.h"
#include "app/environment.h"
#include "app/kinesis_remote.h"
#include "app/stores.h"
#include "base/result.h"
#include "doors/door_set.h"
#include "groups/coordinator.h"
#include "groups/timer_thread.h"
#include "http/server.h"
#include "kafka_door/server.h"
#include "live/live_events.h"
#include "live/live_metrics.h"
#include "live/live_routes.h"
#include "log/broker_log.h"
#include "query/query_runner.h"
#include "query/question_routes.h"
#include "query/sql_route.h"
#include "records/kind.h"

namespace pinflow::app {

// What the role `serve` stands on. All of it outlives it.
struct ServingParts {
  Environment& environment;
  Stores& stores;
  log::Log& log;
  log::BrokerLog& groups;  // Where the doors' consumer groups keep their positions.
  log::BrokerLog*
      broker;  // What the Kafka door serves; null: there is none, as Kafka clients speak with the cluster itself.
  std::string pipeline_id;
};

// The role `serve`: the doors, and what answers at them: live metrics, queries, consumer groups. Built and taken down by one thread;
// the parts are safe to ask from any.
class Serving final {
 public:
  using AddTo = std::function<void(doors::DoorSet&)>;

  explicit Serving(const ServingParts& parts);
  ~Serving() { close(); }

  // Opens the doors: when this returns, posts are taken. `add` gives the doors further routes, checks and metrics.
  Result<void> open(const AddTo& add);
  // Takes no more posts: answers those in flight and closes the doors.
  void close();
  // Reads tokens, access keys and certificates again, while the doors are open. From any thread.
  void reload_files();

  std::string url() const;
  std::string kafka_address() const;  // Empty without a Kafka door.
  live::LiveMetrics& live() { return *live_; }
  // Waits until live metrics have read all that is in the streams now.
  Result<void> catch_up(std::chrono::milliseconds timeout);

 private:
  const config::Config& config() const { return parts_.environment.config(); }
  Logger& logger() { return *parts_.environment.logger; }
  void start_live();
  void start_queries();
  doors::DoorOptions door_options();
  Result<void> pass_kinesis_on(doors::DoorOptions& options);
  Result<void> open_http(const AddTo& add);
  Result<void> open_kinesis_port(const doors::DoorOptions& options);
  Result<void> open_kafka_door();

  const ServingParts parts_;
  const records::Names names_;
  // In the order of use: each stands on those before it and is destroyed before them.
  std::unique_ptr<groups::GroupCoordinator> coordinator_;
  std::unique_ptr<groups::TimerThread> group_timer_;
  std::unique_ptr<live::LiveMetrics> live_;
  std::unique_ptr<live::LiveRoutes> live_routes_;
  std::unique_ptr<live::LiveEvents> live_events_;
  std::unique_ptr<query::QueryRunner> query_runner_;
  std::unique_ptr<query::SqlRoute> sql_route_;
  std::unique_ptr<query::QuestionRoutes> question_routes_;
  AccessParts access_;
  KinesisRemote kinesis_remote_;  // Where calls are passed on; and who does.
  std::unique_ptr<doors::kinesis::RemoteOperations> kinesis_passing_;
  std::unique_ptr<doors::DoorSet> doors_;
  std::unique_ptr<doors::KinesisPort> kinesis_port_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> kinesis_server_;
  std::unique_ptr<kafka_door::KafkaServer> kafka_server_;
  std::string kafka_host_;
};

}  // namespace pinflow::app
