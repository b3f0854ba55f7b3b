#include "kafka_door/internal/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>

namespace pinflow::kafka_door::internal {

namespace {
std::unexpected<Error> refuse(std::string_view setting, const std::filesystem::path& file, std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("{} names {}, {}: {}", setting, file.string(), what, take_tls_error()));
}
}  // namespace

std::string take_tls_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no more is known";
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:x}", code);
}

Result<TlsContext> make_tls_context(const TlsOptions& options) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return fail(ErrorCode::kUnavailable, "OpenSSL cannot be used: " + take_tls_error());
  SSL_CTX* const tls = context.get();
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections give their buffers back; a write that has to wait may go on from other memory.
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  static constexpr unsigned char kSessions[] = "pinflow kafka";
  SSL_CTX_set_session_id_context(tls, kSessions, sizeof kSessions - 1);
  if (SSL_CTX_use_certificate_chain_file(tls, options.certificate.c_str()) != 1) {
    return refuse("kafka.tls_certificate", options.certificate, "which is no readable PEM certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(tls, options.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(tls) != 1) {
    return refuse("kafka.tls_key", options.key, "which is no readable PEM key of the certificate");
  }
  if (!options.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(tls, options.client_ca.c_str(), nullptr) != 1) {
      return refuse("kafka.tls_client_ca", options.client_ca, "which is no readable PEM certificate");
    }
    SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(options.client_ca.c_str()));
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

}  // namespace pinflow::kafka_door::internal
