#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"

namespace pinflow::http {

// Answers one kind of request. On the network loop: must not block.
using RouteHandler = std::move_only_function<void(Request, Responder)>;

struct RouteOptions {
  bool stream_body = false;
  std::optional<ByteCount> max_body{};
};

// Gives each request to the handler of its method and path. Routes are added before the server starts, by one
// thread; then it is used by the network loop alone. Handlers bound to an object need that object to outlive
// the router's use.
// - A pattern is "/topics/{topic}/records": literal segments, and {name} for any one segment
// (Request::parameter). The first
//   route added that fits wins. Slashes at the end or doubled do not matter.
// - HEAD is answered by GET's handler when it has none of its own (the server drops the body).
// - A first segment that begins no route is dropped if the second begins one: API gateways put a stage there
// (/Production/streams/x).
// - A known path asked with another method is answered 405 with Allow, an unknown path 404, both in the JSON
// error form, unless a
//   fallback of that root says otherwise.
class Router final : public Handler {
 public:
  void add(std::string method, std::string_view pattern, RouteHandler handler, RouteOptions options = {});
  template <class T>
  void add(std::string method, std::string_view pattern, T& object, void (T::*member)(Request, Responder),
           RouteOptions options = {}) {
    add(
        std::move(method), pattern,
        [&object, member](Request request, Responder respond) {
          (object.*member)(std::move(request), std::move(respond));
        },
        options);
  }
  // Answers what no route takes, below the first segment `root` ("streams"); "" is for all other roots.
  void set_fallback(std::string root, RouteHandler handler);

  Admission admit(Request& head) override;
  void handle(Request request, Responder respond) override;

  // Each route as {method, pattern}, in the order they were added.
  std::vector<std::pair<std::string, std::string>> routes() const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> pattern;  // A parameter is kept with its braces.
    RouteHandler handler;
    RouteOptions options;
  };
  static bool fits(const Route& route, const std::vector<std::string>& segments);
  Route* find(const Request& request);
  bool is_root(std::string_view segment) const;
  void drop_stage(Request& request) const;
  void answer_unrouted(Request request, Responder respond, const std::string& allowed);

  std::vector<Route> routes_;
  std::vector<std::pair<std::string, RouteHandler>> fallbacks_;
};

}  // namespace pinflow::http
