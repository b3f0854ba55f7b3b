#include "doors/openapi.h"

namespace pinflow::doors {

void add_openapi_route(http::Router& router) {
  router.add("GET", "/openapi.json", [](http::Request, http::Responder respond) {
    respond(http::Response::json(200, std::string(openapi_document())));
  });
}

}  // namespace pinflow::doors
