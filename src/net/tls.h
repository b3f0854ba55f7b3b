#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

struct ssl_st;  // OpenSSL's SSL and SSL_CTX by name alone: its headers stay inside this module.
struct ssl_ctx_st;

namespace pinflow::net {

struct TlsDeleter {
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_st* session) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsDeleter>;
using TlsSession = std::unique_ptr<ssl_st, TlsDeleter>;

struct TlsServerOptions {
  std::filesystem::path certificate;  // PEM, the chain from our own upwards.
  std::filesystem::path key;          // PEM, without a passphrase.
  std::filesystem::path client_ca;    // PEM. Set: clients are asked for a certificate, which must be signed by it.
  bool require_client_certificate = false;
  std::vector<std::string>
      protocols;        // What ALPN may agree on, best first. Empty: whatever the client names is passed over.
  std::string section;  // Of the settings, for messages: "kafka" names "kafka.tls_certificate".
};

// The server's side of TLS 1.2 and 1.3: certificate, key and authority as they stand in their files. Safe from any thread. Outlives
// every session that it made.
class TlsServer final {
 public:
  // kInvalid: a file cannot be used; the message names setting and file.
  static Result<std::unique_ptr<TlsServer>> load(TlsServerOptions options);
  // Reads the files again: sessions that begin from now on use what they hold. kInvalid: nothing changes.
  Result<void> reload();
  // A new session. Null: no memory.
  TlsSession session() const;
  // Subject and end of the certificate in use: "CN=pins.example, until Dec 31 23:59:59 2026 GMT".
  std::string description() const;

 private:
  explicit TlsServer(TlsServerOptions options);
  Result<TlsContext> read() const;

  const TlsServerOptions options_;
  const std::string wire_protocols_;  // As ALPN writes them.
  mutable std::mutex mutex_;
  TlsContext context_;
};

// The client's side: who answers must show a certificate for the host's name that an authority we trust has signed. Safe from any
// thread.
class TlsClient final {
 public:
  // `authority`: PEM file of whom to trust; empty: whom the system trusts. kInvalid: the file cannot be used.
  static Result<std::unique_ptr<TlsClient>> load(const std::filesystem::path& authority,
                                                 const std::vector<std::string>& protocols);
  // `host` is a name or an address, and is what the certificate must be for. Null: no memory.
  TlsSession session(const std::string& host) const;

 private:
  explicit TlsClient(TlsContext context) : context_(std::move(context)) {}
  const TlsContext context_;
};

}  // namespace pinflow::net
