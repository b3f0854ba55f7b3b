#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace pinflow::doors::kafka_rest {

// The address under which the asker reaches the instance that it made, without a slash at the end.
// - `advertised`, where it is set ("https://pinflow.example/kafka").
// - Otherwise the address that was dialled: X-Forwarded-Proto, -Host, -Port and -Prefix of proxies on the way, then the Host field and
//   whether the connection is encrypted. What stands in the path before /consumers is kept. Fields with characters that
//   no address has are passed over.
std::string consumer_base_uri(const http::Request& request, std::string_view advertised, const std::string& group,
                              const std::string& instance);

// Text as one segment of a path.
std::string percent_encode(std::string_view text);

}  // namespace pinflow::doors::kafka_rest
