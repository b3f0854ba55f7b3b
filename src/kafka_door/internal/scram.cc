#include "kafka_door/internal/scram.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/base64.h"

namespace pinflow::kafka_door::internal {

namespace {
constexpr std::size_t kMaxMessage = 4096;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("not a SCRAM message: {}", what));
}

// Takes "<letter>=<value>" up to the next comma.
std::optional<std::string_view> take_attribute(std::string_view& rest, char letter) {
  if (rest.size() < 2 || rest[0] != letter || rest[1] != '=') return std::nullopt;
  const auto comma = std::min(rest.find(','), rest.size());
  const std::string_view value = rest.substr(2, comma - 2);
  rest.remove_prefix(std::min(comma + 1, rest.size()));
  return value;
}

// Names carry '=' as =3D and ',' as =2C.
std::optional<std::string> unescape(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '=') {
      out += name[i];
      continue;
    }
    const std::string_view code = name.substr(i + 1, 2);
    if (code != "2C" && code != "3D") return std::nullopt;
    out += code == "2C" ? ',' : '=';
    i += 2;
  }
  return out;
}
}  // namespace

Result<std::string> ScramServer::first(std::string_view message, const Credentials& credentials) {
  if (message.size() > kMaxMessage) return malformed("too long");
  const bool no_binding = message.starts_with("n,") || message.starts_with("y,");
  const auto header_end = no_binding ? message.find(',', 2) : std::string_view::npos;
  if (header_end == std::string_view::npos) return malformed("it asks for channel binding, or has no GS2 header");
  gs2_header_ = message.substr(0, header_end + 1);
  std::string_view authorization = message.substr(2, header_end - 2);
  const std::string_view bare = message.substr(header_end + 1);
  std::string_view rest = bare;
  const auto name = take_attribute(rest, 'n');
  const auto nonce = take_attribute(rest, 'r');
  if (!name || !nonce || nonce->empty()) return malformed("user name or nonce is missing");
  if (rest.contains("tokenauth=true")) return malformed("delegation tokens are not offered");
  const auto user = unescape(*name);
  if (!user || user->empty()) return malformed("the user name is empty or badly escaped");
  if (!authorization.empty()) {
    const auto other = take_attribute(authorization, 'a');
    if (!other || unescape(*other) != *user) return malformed("acting for another user is not offered");
  }
  user_ = *user;
  verifier_ = credentials.verifier(user_, mechanism_);
  nonce_ = std::string(*nonce) + nonce_;
  std::string ours = fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
  exchanged_ = fmt::format("{},{}", bare, ours);
  return ours;
}

Result<std::string> ScramServer::final(std::string_view message) {
  if (message.size() > kMaxMessage) return malformed("too long");
  const auto proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return malformed("the proof is missing");
  std::string_view rest = message.substr(0, proof_at);
  const std::string covered = fmt::format("{},{}", exchanged_, rest);
  const auto binding = take_attribute(rest, 'c');
  const auto nonce = take_attribute(rest, 'r');
  const auto proof = base64_decode(message.substr(proof_at + 3));
  if (!binding || !nonce || !proof) return malformed("channel binding, nonce or proof cannot be read");
  // librdkafka before 2.6.1 puts its own nonce before ours once more; Kafka takes that, and the proof covers what was sent.
  const bool same_exchange = *binding == base64_encode(gs2_header_) && nonce->ends_with(nonce_);
  if (!same_exchange) return malformed("it belongs to another exchange");
  std::string key = scram_hmac(mechanism_, verifier_.stored_key, covered);
  if (proof->size() != key.size()) return malformed("the proof has the wrong length");
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ (*proof)[i]);
  if (!same_secret(scram_hash(mechanism_, key), verifier_.stored_key)) {
    return fail(ErrorCode::kNotFound, "unknown user or wrong password");
  }
  return "v=" + base64_encode(scram_hmac(mechanism_, verifier_.server_key, covered));
}

}  // namespace pinflow::kafka_door::internal
