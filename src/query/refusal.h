#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace pinflow::query {

// How the routes of this module say no: {"error_code", "message"}, kept by no cache; 503 says when to come back.
http::Response refusal(int status, std::string_view message);

// The status of an error of a store or of the engine.
int status_of(ErrorCode code);

}  // namespace pinflow::query
