#include "app/pipeline.h"

#include <optional>

#include "app/kinesis_remote.h"
#include "app/lanes.h"
#include "app/pipeline_log.h"
#include "app/pipeline_metrics.h"
#include "app/serving.h"
#include "app/status_door.h"
#include "app/stream_options.h"
#include "base/check.h"

namespace pinflow::app {

namespace {

class OneProcess final : public Pipeline {
 public:
  OneProcess(Environment& environment, Stores& stores, PipelineOptions options)
      : environment_(environment), stores_(stores), options_(std::move(options)) {}
  ~OneProcess() override { close_doors(); }

  Result<void> start() {
    TRY(environment_.disk->create_folders(environment_.folder("state")));
    TRY_ASSIGN(log_, open_pipeline_log(environment_));
    TRY_ASSIGN(const std::string id, log_.embedded ? pipeline_id(environment_) : shared_pipeline_id(*stores_.tables));
    if (options_.roles.sink) {
      TRY_ASSIGN(sink_, start_sink(environment_, stores_, log()));
    }
    if (options_.roles.stream) {
      TRY_ASSIGN(kinesis_source_, start_kinesis_source(environment_, log()));
      TRY_ASSIGN(stream_, start_stream(environment_, stores_, log(), id));
    }
    return options_.roles.serve ? open_doors(id) : open_status();
  }

  std::string url() const override { return serving_ ? serving_->url() : status_->url(); }
  std::string kafka_address() const override {
    return log_.embedded ? serving_->kafka_address() : environment_.config().kafka_cluster.bootstrap_servers;
  }
  log::Log& log() override { return log_.log(); }
  sink::Sink& sink() override {
    CHECK(sink_.sink != nullptr, "this process has the role sink");
    return *sink_.sink;
  }
  stream::StreamLane& stream() override {
    CHECK(stream_.lane != nullptr, "this process has the role stream");
    return *stream_.lane;
  }
  live::LiveMetrics& live() override {
    CHECK(serving_ != nullptr, "this process has the role serve");
    return serving_->live();
  }

  Result<void> catch_up(std::chrono::milliseconds timeout, std::stop_token stop) override {
    if (sink_.sink) TRY(sink_.sink->flush(timeout, stop));
    if (stream_.lane) TRY(stream_.lane->wait_until_caught_up(timeout, stop));
    return serving_ ? serving_->catch_up(timeout) : Result<void>{};
  }

  void reload_files() override {
    if (serving_) serving_->reload_files();
    if (status_) status_->reload_files();
  }

  void close_doors() override {
    if (serving_) serving_->close();
    if (status_) status_->close();
  }

 private:
  Result<void> open_doors(const std::string& id) {
    const ServingParts parts{environment_, stores_, log(), log_.groups(), log_.embedded.get(), id};
    serving_ = std::make_unique<Serving>(parts);
    return serving_->open([this](doors::DoorSet& doors) {
      add_status(doors.health(), doors.metrics());
      if (options_.add) options_.add(doors);
    });
  }

  Result<void> open_status() {
    TRY_ASSIGN(status_, StatusDoor::open(environment_, [this](doors::Health& health, doors::Metrics& metrics) {
                 add_status(health, metrics);
               }));
    return {};
  }

  void add_status(doors::Health& health, doors::Metrics& metrics) {
    if (sink_.sink) add_sink_check(health, *sink_.sink);
    if (stream_.lane) add_stream_check(health, *stream_.lane);
    if (stream_.condenser) add_condenser_check(health, *stream_.condenser);
    if (kinesis_source_.source) add_kinesis_source_check(health, *kinesis_source_.source);
    metrics.add_source([this](doors::MetricsWriter& out) {
      if (log_.embedded) write_log_metrics(out, *log_.embedded, environment_.config().log.durability);
      if (sink_.sink) write_sink_metrics(out, sink_.sink->status_without_lag());
      if (stream_.lane) write_stream_metrics(out, stream_.lane->status_without_lag());
      if (stream_.condenser) write_condenser_metrics(out, stream_.condenser->status());
      if (kinesis_source_.source) write_kinesis_source_metrics(out, kinesis_source_.source->status());
    });
  }

  Environment& environment_;
  Stores& stores_;
  const PipelineOptions options_;
  // In the order of use: each stands on those before it and is destroyed before them.
  PipelineLog log_;
  SinkRole sink_;
  StreamRole stream_;
  KinesisSourceRole kinesis_source_;
  std::unique_ptr<Serving> serving_;    // With the role `serve`,
  std::unique_ptr<StatusDoor> status_;  // or else this.
};

}  // namespace

Result<std::unique_ptr<Pipeline>> start_pipeline(Environment& environment, Stores& stores,
                                                 const PipelineOptions& options) {
  if (environment.config().log.engine == "embedded" && !options.roles.all()) {
    return fail(
        ErrorCode::kInvalid,
        "the embedded log (log.engine = 'embedded') is one process's, and `pinflow up` runs all roles on it. For "
        "processes of one role each, set log.engine = 'kafka' and kafka_cluster.bootstrap_servers");
  }
  auto pipeline = std::make_unique<OneProcess>(environment, stores, options);
  TRY(pipeline->start());
  return pipeline;
}

}  // namespace pinflow::app
