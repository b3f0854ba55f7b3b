#pragma once

#include <string>

#include "live/live_answers.h"
#include "live/live_query.h"

// Answers as JSON (docs/live-metrics.md, "Asking"). Measures are rounded to six decimals, so that the same state gives the same text
// however its sums of doubles were ordered.
namespace pinflow::live {

// The whole answer: what it was made from, what was asked, items. Not for a ProfileAnswer without a profile.
std::string answer_json(const Query& query, const Answer& answer, const Weights& weights);

// The same in a frame of several: what all have in common is told once, by head_json().
std::string item_json(const Query& query, const Answer& answer);
std::string head_json(const Head& head, const Weights& weights);

}  // namespace pinflow::live
