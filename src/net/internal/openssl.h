#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace pinflow::net::internal {

struct Releaser {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};

// The words of OpenSSL's latest error of this thread, which it clears.
std::string take_tls_error();

// "CN=billing,O=Acme".
std::string subject_of(const X509& certificate);

// A non-blocking socket for OpenSSL, which owns it. Unlike OpenSSL's own it raises no SIGPIPE when the peer is gone. Null: no memory.
BIO* make_socket_bio(int socket);

}  // namespace pinflow::net::internal
