#pragma once

#include "kafka_door/handlers/context.h"
#include "kafka_wire/messages/session.h"

// What clients ask first: versions, the cluster and its topics.
namespace pinflow::kafka_door {

void api_versions(Context& context, Call call, kafka_wire::ApiVersionsRequest request, Reply reply);
void metadata(Context& context, Call call, kafka_wire::MetadataRequest request, Reply reply);
void describe_cluster(Context& context, Call call, kafka_wire::DescribeClusterRequest request, Reply reply);

// Where this client shall find the broker.
std::string advertised_host(const Context& context, const Call& call);
std::int32_t advertised_port(const Context& context, const Call& call);

}  // namespace pinflow::kafka_door
