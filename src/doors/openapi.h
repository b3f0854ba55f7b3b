#pragma once

#include <string_view>

#include "http/router.h"

namespace pinflow::doors {

// The file openapi.json of this folder: an OpenAPI 3.1 document of all routes of this program, also of those that other modules add.
// Tests hold it against the routes and against answers, so a new route needs its entry there.
std::string_view openapi_document();

// GET /openapi.json
void add_openapi_route(http::Router& router);

}  // namespace pinflow::doors
