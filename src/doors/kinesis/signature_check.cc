#include "doors/kinesis/signature_check.h"

#include <algorithm>

namespace pinflow::doors::kinesis {

namespace {

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

access::SignedRequest view_of(const http::Request& request) {
  const std::string_view target = request.target;
  const auto question = std::min(target.find('?'), target.size());
  return {request.method, target.substr(0, question), target.substr(std::min(question + 1, target.size())),
          request.headers.fields()};
}

// The credential that a request shows, checked or not: <key>/<date>/<region>/<service>/aws4_request.
std::string_view credential_of(const http::Request& request) {
  constexpr std::string_view kName = "Credential=";
  const auto header = request.headers.get("Authorization");
  if (!header) return request.query_value("X-Amz-Credential").value_or("");
  const auto at = header->find(kName);
  if (at == std::string_view::npos) return "";
  const auto value = header->substr(at + kName.size());
  return value.substr(0, value.find_first_of(", "));
}

std::string_view take_part(std::string_view& text) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto part = text.substr(0, slash);
  text.remove_prefix(std::min(slash + 1, text.size()));
  return part;
}

Fault fault_of(access::SignatureFault fault) {
  return {std::move(fault.type), std::move(fault.message), 400};
}

}  // namespace

std::expected<Signer, Fault> check_signature(const http::Request& request, access::SignatureVerifier* verifier) {
  if (request.caller != nullptr && !request.caller->is_anonymous()) return Signer{request.caller, "", ""};
  if (verifier != nullptr) {
    auto verified = verifier->verify(view_of(request), request.body);
    if (!verified) return std::unexpected(fault_of(std::move(verified).error()));
    return Signer{std::move(verified->caller), std::move(verified->key_id),
                  is_region(verified->region) ? std::move(verified->region) : ""};
  }
  if (auto missing = access::missing_in_signature(view_of(request))) {
    return std::unexpected(fault_of(std::move(*missing)));
  }
  auto rest = credential_of(request);
  const auto key = take_part(rest);
  take_part(rest);  // The date.
  const auto region = take_part(rest);
  return Signer{request.caller, std::string(key), std::string(is_region(region) ? region : "")};
}

std::string account_of(std::string_view key_id, std::string_view usual) {
  const bool is_account =
      key_id.size() == 12 && std::ranges::all_of(key_id, [](char c) { return c >= '0' && c <= '9'; });
  return std::string(is_account ? key_id : usual);
}

}  // namespace pinflow::doors::kinesis
