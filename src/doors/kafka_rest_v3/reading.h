#pragma once

#include <expected>
#include <utility>

#include "base/result.h"
#include "doors/kafka_rest_v3/answers.h"

// The steps by which bodies of API v3 are read: each gives what it read, or why the request is refused. For sources of this folder.
namespace pinflow::doors::kafka_rest_v3 {

using Refused = std::unexpected<Refusal>;
using Step = std::expected<void, Refusal>;

// As TRY, for the cursor's errors.
#define READ(declaration, expression)                                                                              \
  auto PINFLOW_CONCAT(read_, __LINE__) = (expression);                                                             \
  if (!PINFLOW_CONCAT(read_, __LINE__)) return Refused(bad_json(PINFLOW_CONCAT(read_, __LINE__).error().message)); \
  declaration = std::move(*PINFLOW_CONCAT(read_, __LINE__))
#define STEP(expression)                                                          \
  do {                                                                            \
    if (auto step = (expression); !step) return Refused(std::move(step).error()); \
  } while (false)

}  // namespace pinflow::doors::kafka_rest_v3
