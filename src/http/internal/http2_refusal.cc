#include "http/internal/session.h"

namespace pinflow::http::internal {

// HTTP/2 is answered by HTTP/1's words that it is not spoken.
std::unique_ptr<Session> make_http2_session(const SessionLimits& limits, SessionOwner& owner) {
  auto session = make_http1_session(limits, owner);
  session->refuse(505, "HTTP/2 is not spoken here");
  return session;
}

}  // namespace pinflow::http::internal
