#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "live/live_query.h"

namespace pinflow::live {

// The share of each part in the popularity; they add up to 1.
struct Weights {
  double followers = 0.5;
  double activity = 0.35;
  double velocity = 0.15;
};

// What the HTTP side asks of the live metrics. Safe from any thread.
class LiveAnswers {
 public:
  virtual ~LiveAnswers() = default;
  // Answers all questions from one state at one moment, each with the alternative of its question.
  virtual std::vector<Answer> answer_all(std::span<const Query> queries) = 0;
  // Rises with every change of the state.
  virtual std::uint64_t version() const = 0;
  virtual Weights weights() const = 0;
};

}  // namespace pinflow::live
