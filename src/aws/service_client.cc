#include "aws/service_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "aws/digest.h"
#include "aws/signing.h"

namespace pinflow::aws {

namespace {

// "kinesis.eu-west-1.amazonaws.com", also of China ("...amazonaws.com.cn"), of FIPS and dual-stack hosts.
std::string region_of_host(std::string_view host, std::string_view service) {
  const std::size_t suffix = host.find(".amazonaws.com");
  if (suffix == host.npos) return {};
  host = host.substr(0, suffix);
  const std::size_t dot = host.find('.');
  if (dot == host.npos || !host.substr(0, dot).starts_with(service)) return {};
  host.remove_prefix(dot + 1);
  return std::string(host.substr(0, host.find('.')));
}

std::string_view host_of(std::string_view endpoint) {
  return endpoint.substr(endpoint.find("://") + 3);
}

// How services say that a session is over; a fresh one may be at hand.
bool says_expired(const HttpResponse& response) {
  if (response.status != 400 && response.status != 403) return false;
  return response.body.contains("ExpiredToken");
}

}  // namespace

Result<ServiceAddress> parse_service_endpoint(std::string_view url, std::string_view service, std::string_view target,
                                              std::string_view region) {
  std::string_view rest = url;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::string endpoint(rest);
  const bool scheme = rest.starts_with("https://") || rest.starts_with("http://");
  const std::string_view host = scheme ? host_of(rest) : std::string_view();
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-:[]").contains(c);
  };
  if (host.empty() || !std::ranges::all_of(host, is_good)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no endpoint of a service: write its URL without a path, such as "
                            "https://{}.eu-west-1.amazonaws.com or http://127.0.0.1:4567",
                            url, service));
  }
  std::string named = region_of_host(host, service);
  return ServiceAddress{endpoint, named.empty() ? std::string(region) : std::move(named), std::string(service),
                        std::string(target)};
}

Result<HttpResponse> ServiceClient::call(std::string_view operation, std::string_view content_type,
                                         std::string_view body, std::chrono::milliseconds timeout) {
  auto response = call_once(operation, content_type, body, timeout);
  if (!response || !says_expired(*response)) return response;
  credentials_.refused();
  return call_once(operation, content_type, body, timeout);
}

Result<HttpResponse> ServiceClient::call_once(std::string_view operation, std::string_view content_type,
                                              std::string_view body, std::chrono::milliseconds timeout) {
  TRY_ASSIGN(const Credentials credentials, credentials_.get());
  const WallTime now = clock_.now();
  const std::string time = format_amz_time(now);
  HttpRequest request{
      .method = "POST", .url = address_.endpoint + "/", .headers = {}, .body = body, .timeout = timeout};
  request.headers = {{"Host", std::string(host_of(address_.endpoint))},
                     {"Content-Type", std::string(content_type)},
                     {"X-Amz-Date", time},
                     {"X-Amz-Target", fmt::format("{}.{}", address_.target, operation)}};
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  const SigningScope scope{time.substr(0, 8), address_.region, address_.service};
  request.headers.emplace_back("Authorization", sign({request.method, "/", "", request.headers}, credentials.key, scope,
                                                     now, to_hex(sha256(body)), PathForm::kNormalized));
  return http_.send(request);
}

}  // namespace pinflow::aws
