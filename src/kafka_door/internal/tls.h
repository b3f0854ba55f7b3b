#pragma once

#include <memory>

#include <openssl/ssl.h>

#include "base/result.h"
#include "kafka_door/server.h"

namespace pinflow::kafka_door::internal {

struct TlsDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsDeleter>;

// Loads certificate, key and authority. kInvalid names the file and what is wrong with it.
Result<TlsContext> make_tls_context(const TlsOptions& options);

// The words of OpenSSL's latest error of this thread, which it clears.
std::string take_tls_error();

}  // namespace pinflow::kafka_door::internal
