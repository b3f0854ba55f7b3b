#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/clock.h"
#include "base/result.h"

namespace pinflow::aws {

struct ServiceAddress {
  std::string endpoint;  // "https://kinesis.eu-west-1.amazonaws.com", without a path.
  std::string region;
  std::string service;  // As signatures name it: "kinesis".
  std::string target;   // What operations are named after: "Kinesis_20131202".
};

// Reads an endpoint: http or https, a host, a port where it is not the scheme's own. The region is the one that AWS's host names say
// ("kinesis.eu-west-1.amazonaws.com"), else `region`. kInvalid: no such URL, or one with a path.
Result<ServiceAddress> parse_service_endpoint(std::string_view url, std::string_view service, std::string_view target,
                                              std::string_view region);

// Calls of a service of AWS that speaks its JSON or CBOR protocol (a POST to / with X-Amz-Target), signed with Signature Version 4. Safe from any
// thread; calls block. All that is given outlives it.
class ServiceClient final {
 public:
  ServiceClient(ServiceAddress address, HttpTransport& http, CredentialSource& credentials, const Clock& clock)
      : address_(std::move(address)), http_(http), credentials_(credentials), clock_(clock) {}

  // One call. An answer of any status is a success here. Where the service says that the credentials expired, the call is made again with
  // fresh ones. kInvalid: no credentials; kUnavailable: no credentials now, or no whole answer came, and whether the call was carried out
  // is not known.
  Result<HttpResponse> call(std::string_view operation, std::string_view content_type, std::string_view body,
                            std::chrono::milliseconds timeout = std::chrono::seconds(60));
  const ServiceAddress& address() const { return address_; }

 private:
  Result<HttpResponse> call_once(std::string_view operation, std::string_view content_type, std::string_view body,
                                 std::chrono::milliseconds timeout);

  const ServiceAddress address_;
  HttpTransport& http_;
  CredentialSource& credentials_;
  const Clock& clock_;
};

}  // namespace pinflow::aws
