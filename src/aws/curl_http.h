#pragma once

#include <memory>

#include "aws/http.h"

namespace pinflow::aws {

// HTTP/1.1 and TLS by libcurl. Connections are kept and used again; as many are open as calls were under way at once. The environment's
// proxy settings count. Follows no redirect. Certificates are checked against the system's authorities, or those in
// AWS_CA_BUNDLE.
std::unique_ptr<HttpTransport> make_curl_http();

}  // namespace pinflow::aws
