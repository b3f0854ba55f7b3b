#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "live/event_hub.h"
#include "live/live_answers.h"

namespace pinflow::live {

// Makes the frame of each variant (EventVariant::number()) from one state at one moment. A frame is an event "head" and one for each
// topic, the last with the id. Each event's JSON is made once, however many variants show it. `least_id` is lower than all ids; an id is
// the moment in milliseconds where that is higher, so that they rise over restarts too.
std::vector<std::pair<std::size_t, EventFramePtr>> make_event_frames(LiveAnswers& metrics,
                                                                     std::span<const std::size_t> variants,
                                                                     std::uint64_t least_id);

}  // namespace pinflow::live
