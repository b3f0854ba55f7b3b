#include "net/tls.h"

#include <arpa/inet.h>
#include <array>
#include <span>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/internal/openssl.h"

namespace pinflow::net {

namespace {
using internal::take_tls_error;

// Forward secrecy and authenticated encryption alone; HTTP/2 forbids the others. TLS 1.3 has no others.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

// A key with a passphrase would make OpenSSL ask for it on the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

std::string wire_form(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

// Our order decides. A client that names protocols of which we speak none is refused (RFC 7301, 3.2).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* theirs,
                    unsigned int theirs_size, void* ours) {
  const auto& wire = *static_cast<const std::string*>(ours);
  unsigned char* selected = nullptr;
  const int found = SSL_select_next_proto(&selected, size, reinterpret_cast<const unsigned char*>(wire.data()),
                                          static_cast<unsigned int>(wire.size()), theirs, theirs_size);
  *chosen = selected;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<TlsContext> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(method));
  if (context == nullptr) return fail(ErrorCode::kUnavailable, "OpenSSL cannot be used: " + take_tls_error());
  SSL_CTX* const tls = context.get();
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(tls, kCiphers);
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections give their buffers back; a write that has to wait may go on from other memory.
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(tls, 1);  // One read a record, not one for its head and one for the rest.
  return context;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}
}  // namespace

void TlsDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

void TlsDeleter::operator()(ssl_st* session) const {
  SSL_free(session);
}

TlsServer::TlsServer(TlsServerOptions options)
    : options_(std::move(options)), wire_protocols_(wire_form(options_.protocols)) {}

Result<std::unique_ptr<TlsServer>> TlsServer::load(TlsServerOptions options) {
  std::unique_ptr<TlsServer> server(new TlsServer(std::move(options)));
  TRY(server->reload());
  return server;
}

Result<void> TlsServer::reload() {
  TRY_ASSIGN(TlsContext fresh, read());
  const std::scoped_lock lock(mutex_);
  context_.swap(fresh);
  return {};
}

Result<TlsContext> TlsServer::read() const {
  const auto refuse = [this](std::string_view setting, const std::filesystem::path& file, std::string_view what) {
    return fail(ErrorCode::kInvalid, fmt::format("{}.{} names {}, {}: {}", options_.section, setting, file.string(),
                                                 what, take_tls_error()));
  };
  TRY_ASSIGN(TlsContext context, make_context(TLS_server_method()));
  SSL_CTX* const tls = context.get();
  SSL_CTX_set_options(tls, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
  const std::string sessions = "pinflow " + options_.section;
  SSL_CTX_set_session_id_context(tls, reinterpret_cast<const unsigned char*>(sessions.data()),
                                 static_cast<unsigned int>(std::min<std::size_t>(sessions.size(), 32)));
  if (SSL_CTX_use_certificate_chain_file(tls, options_.certificate.c_str()) != 1) {
    return refuse("tls_certificate", options_.certificate, "which is no readable PEM certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(tls, options_.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(tls) != 1) {
    return refuse("tls_key", options_.key, "which is no readable PEM key of the certificate (without passphrase)");
  }
  if (!options_.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(tls, options_.client_ca.c_str(), nullptr) != 1) {
      return refuse("tls_client_ca", options_.client_ca, "which is no readable PEM certificate");
    }
    SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(options_.client_ca.c_str()));
    SSL_CTX_set_verify(
        tls, SSL_VERIFY_PEER | (options_.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  }
  if (!wire_protocols_.empty()) {
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, const_cast<std::string*>(&wire_protocols_));
  }
  return context;
}

TlsSession TlsServer::session() const {
  const std::scoped_lock lock(mutex_);
  TlsSession session(SSL_new(context_.get()));
  if (session != nullptr) SSL_set_accept_state(session.get());
  return session;
}

std::string TlsServer::description() const {
  const std::scoped_lock lock(mutex_);
  const X509* const certificate = SSL_CTX_get0_certificate(context_.get());
  if (certificate == nullptr) return {};
  const std::unique_ptr<BIO, internal::Releaser> text(BIO_new(BIO_s_mem()));
  if (text == nullptr) return {};
  ASN1_TIME_print(text.get(), X509_get0_notAfter(certificate));
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return fmt::format("{}, until {}", internal::subject_of(*certificate),
                     std::string_view(bytes, static_cast<std::size_t>(size)));
}

Result<std::unique_ptr<TlsClient>> TlsClient::load(const std::filesystem::path& authority,
                                                   const std::vector<std::string>& protocols) {
  TRY_ASSIGN(TlsContext context, make_context(TLS_client_method()));
  SSL_CTX* const tls = context.get();
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  const int loaded = authority.empty() ? SSL_CTX_set_default_verify_paths(tls)
                                       : SSL_CTX_load_verify_locations(tls, authority.c_str(), nullptr);
  if (loaded != 1) {
    return fail(ErrorCode::kInvalid, authority.empty()
                                         ? "the system's trusted certificates cannot be read: " + take_tls_error()
                                         : fmt::format("{} is no readable PEM file of trusted certificates: {}",
                                                       authority.string(), take_tls_error()));
  }
  const std::string wire = wire_form(protocols);
  SSL_CTX_set_alpn_protos(tls, reinterpret_cast<const unsigned char*>(wire.data()),
                          static_cast<unsigned int>(wire.size()));
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(context)));
}

TlsSession TlsClient::session(const std::string& host) const {
  TlsSession session(SSL_new(context_.get()));
  if (session == nullptr) return session;
  SSL_set_connect_state(session.get());
  SSL_set_hostflags(session.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // Addresses are compared with a certificate's addresses, and are not sent as a name (RFC 6066, 3).
  const bool named = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1
                                      : SSL_set1_host(session.get(), host.c_str()) == 1 &&
                                            SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (!named) session.reset();
  return session;
}

}  // namespace pinflow::net
