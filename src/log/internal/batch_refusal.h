#pragma once

#include "base/error.h"
#include "log/broker_log.h"

namespace pinflow::log {

// What a producer is told when the log could not take its batch for a reason of the log's own.
BatchRefusal refusal_of(const Error& error);

}  // namespace pinflow::log
