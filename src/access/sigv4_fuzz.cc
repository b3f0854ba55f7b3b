// What is read of a signature must never crash or be taken for right, and what is signed must always be taken.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "access/digest.h"
#include "access/sigv4.h"

using namespace pinflow::access;
using pinflow::aws::parse_amz_time;
using pinflow::aws::sign;

namespace {
std::string_view next(std::string_view& input) {
  const std::string_view part = input.substr(0, input.find('\n'));
  input.remove_prefix(std::min(part.size() + 1, input.size()));
  return part;
}

[[noreturn]] void wrong() {
  std::abort();
}
}  // namespace

// Lines: method, path, query, Authorization, X-Amz-Date, another header's name and value; the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view method = next(input);
  const std::string_view path = next(input);
  const std::string_view query = next(input);
  const std::string_view authorization = next(input);
  const std::string_view date = next(input);
  const std::string_view name = next(input);
  const std::string_view value = next(input);
  std::vector<std::pair<std::string, std::string>> headers{
      {"Host", "localhost"}, {"X-Amz-Date", std::string(date)}, {std::string(name), std::string(value)}};
  if (!authorization.empty()) headers.emplace_back("Authorization", std::string(authorization));
  const SignedRequest request{method, path, query, headers};
  const pinflow::WallTime now = *parse_amz_time("20150830T123600Z");
  const SignatureRules rules{.service = "kinesis"};
  if (const auto shown = read_signature(request)) {
    if (missing_in_signature(request)) wrong();
    // Nobody knows this secret.
    if (!check_signature(request, *shown, input, random_bytes(32), rules, now)) wrong();
  }
  headers = {{"Host", "localhost"}, {"X-Amz-Date", "20150830T123600Z"}, {"X-Amz-Target", std::string(value)}};
  headers.emplace_back("Authorization",
                       sign({method, path, query, headers}, {"key", "secret"}, {"20150830", "eu-west-1", "kinesis"},
                            now, to_hex(sha256(input)), PathForm::kNormalized));
  const SignedRequest honest{method, path, query, headers};
  const auto shown = read_signature(honest);
  if (!shown) {
    if (query.find("X-Amz-") == std::string_view::npos && query.find('%') == std::string_view::npos) wrong();
    return 0;
  }
  if (check_signature(honest, *shown, input, "secret", rules, now)) wrong();
  return 0;
}
