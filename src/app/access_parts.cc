#include "app/access_parts.h"

#include <unistd.h>

#include <fmt/core.h>

#include "access/grants.h"
#include "access/private_file.h"

namespace pinflow::app {

namespace {

// With nothing to show credentials by, everybody may do everything, or nobody could do anything; the checks of the settings see to it that
// only this machine, or a network that the operator vouches for, is everybody.
Result<std::vector<access::Grant>> anonymous_grants(const config::Config& config) {
  const std::string& text = config.http.anonymous;
  if (text == "none") return std::vector<access::Grant>();
  if (text != "auto") {
    auto grants = access::parse_grants(text);
    if (!grants)
      return fail(ErrorCode::kInvalid, fmt::format("http.anonymous: {}; or 'none', or 'auto'", grants.error().message));
    return grants;
  }
  const bool credentials = config.http.authentication != "off" || !config.http.tls_client_ca.empty();
  if (credentials) return std::vector<access::Grant>();
  return std::vector<access::Grant>{{access::Right::kAdmin, "*"}};
}

// Without a list, whoever has a certificate of http.tls_client_ca may do everything: the authority is the list.
Result<std::vector<access::CertificateGrant>> certificate_grants(const config::Config& config, disk::Disk& disk) {
  if (config.http.tls_client_ca.empty()) return std::vector<access::CertificateGrant>();
  const std::filesystem::path& file = config.http.client_certificates;
  if (file.empty()) return std::vector<access::CertificateGrant>{{"*", {{access::Right::kAdmin, "*"}}}};
  const auto text = disk.read_file(file);
  if (!text) return fail(Error(text.error()).with_context("http.client_certificates"));
  auto grants = access::parse_certificate_grants(*text);
  if (grants) return grants;
  return fail(grants.error().code,
              fmt::format("http.client_certificates: {}: {}", file.string(), grants.error().message));
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

Result<void> make_first_token(access::TokenStore& tokens, Environment& environment) {
  if (environment.disk->describe(tokens.file())) return {};
  TRY_ASSIGN(const auto issued, tokens.create({.name = "admin", .grants = {{access::Right::kAdmin, "*"}}}));
  const disk::Path file = access_folder(environment) / "admin-token";
  TRY(access::write_private_file(*environment.disk, file, issued.text + "\n"));
  fmt::print(stderr,
             "pinflow: the first token, 'admin', may do everything. It stands in {}, which you alone can read.\n",
             file.string());
  // What goes to a terminal is read once; what goes anywhere else is kept by somebody.
  if (::isatty(STDERR_FILENO) == 1) fmt::print(stderr, "  {}\n", issued.text);
  return {};
}

// The file's owner alone should be able to read secrets; a warning, as some deployments hand files to a group.
void warn_if_readable(const std::filesystem::path& file, Logger& logger) {
  std::error_code error;
  const auto rights = std::filesystem::status(file, error).permissions();
  using std::filesystem::perms;
  if (error || (rights & (perms::group_read | perms::others_read)) == perms::none) return;
  logger.warning("others on this machine can read the secrets of this file; chmod 600 mends it",
                 {{"file", file.string()}});
}

}  // namespace

disk::Path access_folder(const Environment& environment) {
  return environment.folder("state") / "access";
}

Result<AccessParts> open_access(Environment& environment) {
  const config::Config& config = environment.config();
  AccessParts parts;
  TRY_ASSIGN(parts.guard.anonymous, anonymous_grants(config));
  TRY_ASSIGN(parts.guard.certificates, certificate_grants(config, *environment.disk));
  parts.guard.cors_origins = split_list(config.http.cors_origins);
  parts.guard.kinesis_cors = config.kinesis.cors;
  parts.guard.open_metrics = config.http.open_metrics;
  if (config.http.authentication == "token") {
    TRY_ASSIGN(parts.tokens, access::TokenStore::open(access_folder(environment), *environment.disk, environment.clock,
                                                      *environment.logger));
    TRY(make_first_token(*parts.tokens, environment));
    parts.guard.tokens = parts.tokens.get();
  }
  if (config.kinesis.verify_signatures) {
    const std::filesystem::path& file = config.kinesis.access_keys;
    access::VerifierOptions options;
    options.rules.service = "kinesis";
    options.accept_session_tokens = config.kinesis.accept_session_tokens;
    auto verifier =
        access::SignatureVerifier::open(options, file, *environment.disk, environment.clock, *environment.logger);
    if (!verifier) return fail(std::move(verifier.error()).with_context("kinesis.access_keys"));
    parts.verifier = std::move(*verifier);
    warn_if_readable(file, *environment.logger);
  }
  return parts;
}

void AccessParts::reload(Logger& logger) const {
  const auto tell = [&](std::string_view what, const Result<void>& reloaded) {
    if (!reloaded) logger.error("stays as it was", {{"what", what}, {"why", reloaded.error().message}});
  };
  if (tokens) tell("tokens", tokens->reload());
  if (verifier) tell("access keys", verifier->reload());
}

}  // namespace pinflow::app
