#pragma once

#include <string_view>

#include "http/message.h"

namespace pinflow::live {

// How the routes below /live say no: {"error_code", "message"}, kept by no cache; 503 says when to come back.
http::Response refusal(int status, std::string_view message);

}  // namespace pinflow::live
