#include "doors/door_set.h"

#include "doors/openapi.h"

namespace pinflow::doors {

DoorSet::DoorSet(DoorParts parts, DoorOptions options)
    : operations_(parts.log, parts.clock, Random(parts.random()), options.kinesis_operations),
      kinesis_calls_(options.kinesis == nullptr ? &operations_ : options.kinesis),
      kinesis_(*kinesis_calls_, Random(parts.random()), options.kinesis_door),
      split_(kinesis_, router_),
      guard_(std::move(options.guard), parts.clock, parts.logger, split_),
      worker_(options.waiting_jobs),
      kafka_rest_(parts.log, worker_, options.kafka_rest),
      kafka_rest_v3_({parts.log, parts.coordinator, worker_, parts.clock, parts.cluster_id},
                     std::move(options.kafka_rest_v3)),
      consumers_(parts.log, parts.coordinator, parts.clock, std::move(options.consumers)),
      streams_(*kinesis_calls_, parts.random, std::move(options.streams)) {
  health_.add_routes(router_);
  metrics_.add_routes(router_);
  add_openapi_route(router_);
  kafka_rest_.add_routes(router_);
  kafka_rest_v3_.add_routes(router_);
  consumers_.add_routes(router_);
  streams_.add_routes(router_);
}

}  // namespace pinflow::doors
