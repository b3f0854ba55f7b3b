#include "kafka_wire/messages/session.h"

#include "kafka_wire/internal/codec_impl.h"
#include "kafka_wire/internal/session_tables.h"

namespace pinflow::kafka_wire {

INSTANTIATE_API(ApiVersionsRequest)
INSTANTIATE_API(SaslHandshakeRequest)
INSTANTIATE_API(SaslAuthenticateRequest)
INSTANTIATE_API(MetadataRequest)
INSTANTIATE_API(DescribeClusterRequest)

ApiVersionsResponse api_versions_response(KafkaError error) {
  ApiVersionsResponse response{.error_code = error};
  for (const ApiInfo& api : all_apis())
    response.api_keys.push_back({static_cast<std::int16_t>(api.key), api.advertised_first, api.last});
  return response;
}

}  // namespace pinflow::kafka_wire
