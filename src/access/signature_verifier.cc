#include "access/signature_verifier.h"

#include <fmt/format.h>

#include "access/digest.h"

namespace pinflow::access {

SignatureVerifier::SignatureVerifier(VerifierOptions options, const disk::Path& file, disk::Disk& disk,
                                     const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      disk_(disk),
      clock_(clock),
      logger_(logger),
      file_(file, disk, clock),
      table_(std::make_shared<const Table>()) {}

Result<std::unique_ptr<SignatureVerifier>> SignatureVerifier::open(VerifierOptions options, const disk::Path& file,
                                                                   disk::Disk& disk, const Clock& clock,
                                                                   Logger& logger) {
  std::unique_ptr<SignatureVerifier> verifier(new SignatureVerifier(std::move(options), file, disk, clock, logger));
  TRY(verifier->reload());
  return verifier;
}

Result<std::vector<AccessKey>> SignatureVerifier::read() const {
  TRY_ASSIGN(const std::string text, disk_.read_file(file_.path()));
  auto keys = parse_access_keys(text);
  if (keys) return keys;
  return fail(keys.error().code, fmt::format("{}: {}", file_.path().native(), keys.error().message));
}

// Called with mutex_ held. Who had limits keeps what is left of them, or a reload would be a way around.
void SignatureVerifier::adopt(std::vector<AccessKey> keys) {
  auto table = std::make_shared<Table>();
  for (AccessKey& key : keys) {
    const auto before = table_->find(key.id);
    std::shared_ptr<Allowance> allowance;
    if (key.limits.any()) {
      allowance = before != table_->end() && before->second.key.limits == key.limits
                      ? before->second.caller->allowance()
                      : std::make_shared<Allowance>(key.limits, clock_);
    }
    auto caller = std::make_shared<const Caller>(key.name, key.grants, std::move(allowance));
    std::string id = key.id;
    table->emplace(std::move(id), Known{std::move(key), std::move(caller)});
  }
  table_ = std::move(table);
}

Result<void> SignatureVerifier::reload() {
  const std::scoped_lock lock(mutex_);
  file_.changed(true);
  TRY_ASSIGN(auto keys, read());
  adopt(std::move(keys));
  return {};
}

std::shared_ptr<const SignatureVerifier::Table> SignatureVerifier::table(bool look_now) {
  const std::scoped_lock lock(mutex_);
  if (!file_.changed(look_now)) return table_;
  if (auto keys = read()) {
    adopt(*std::move(keys));
    logger_.info("access keys were read again", {{"file", file_.path().native()}, {"keys", table_->size()}});
  } else {
    logger_.error("the access keys of before stay in force: their file cannot be read",
                  {{"why", keys.error().message}});
  }
  return table_;
}

std::optional<SignatureFault> SignatureVerifier::check_session(const ShownSignature& shown,
                                                               const AccessKey& key) const {
  if (key.session_token.empty()) {
    if (shown.security_token.empty() || options_.accept_session_tokens) return std::nullopt;
    return SignatureFault{"UnrecognizedClientException", "The security token included in the request is invalid."};
  }
  if (same_secret(shown.security_token, key.session_token)) return std::nullopt;
  if (shown.security_token.empty())
    return SignatureFault{"UnrecognizedClientException", "The security token included in the request is invalid."};
  return SignatureFault{"ExpiredTokenException", "The security token included in the request is expired"};
}

std::expected<Verified, SignatureFault> SignatureVerifier::verify(const SignedRequest& request, std::string_view body) {
  auto shown = read_signature(request);
  if (!shown) return std::unexpected(std::move(shown).error());
  auto keys = table(false);
  if (!keys->contains(shown->key_id)) keys = table(true);
  const auto known = keys->find(shown->key_id);
  if (known == keys->end())
    return std::unexpected(
        SignatureFault{"UnrecognizedClientException", "The security token included in the request is invalid."});
  const AccessKey& key = known->second.key;
  auto fault = check_signature(request, *shown, body, key.secret, options_.rules, clock_.now());
  if (!fault) fault = check_session(*shown, key);
  if (fault) return std::unexpected(std::move(*fault));
  if (const auto& allowance = known->second.caller->allowance()) {
    if (allowance->admit()) return std::unexpected(SignatureFault{"ThrottlingException", "Rate exceeded"});
    allowance->spend_bytes(body.size());
  }
  return Verified{known->second.caller, std::move(shown->key_id), std::move(shown->scope.region)};
}

}  // namespace pinflow::access
