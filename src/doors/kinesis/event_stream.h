#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "doors/kinesis/protocol.h"
#include "http/message.h"

namespace pinflow::doors::kinesis {

// One message of AWS's event stream encoding (application/vnd.amazon.eventstream): lengths, headers (all of type string), payload, checksums.
std::string event_frame(std::initializer_list<std::pair<std::string_view, std::string_view>> headers,
                        std::string_view payload);

// The body of SubscribeToShard's answer: an initial-response first (some clients insist on it), then what `source` tells, one frame an
// event; a fault becomes the last frame. Owned by the connection; pulls one event at a time, so a slow reader holds up its source.
std::unique_ptr<http::BodyStream> event_body(std::unique_ptr<EventSource> source);

}  // namespace pinflow::doors::kinesis
