#pragma once

#include "base/error.h"

namespace pinflow::query {

// The HTTP status of an error of a store or of the engine.
int status_of(ErrorCode code);

}  // namespace pinflow::query
