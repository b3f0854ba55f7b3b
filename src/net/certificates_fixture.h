#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace pinflow::net {

// A small authority in a folder of its own, which goes with it. For tests.
class Certificates final {
 public:
  Certificates() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow_tls_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    authority_key_ = EVP_EC_gen("P-256");
    authority_ = make("pinflow test authority", authority_key_, nullptr);
    write("ca", authority_, authority_key_);
  }
  ~Certificates() {
    X509_free(authority_);
    EVP_PKEY_free(authority_key_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // Makes <name>.pem and <name>.key, signed by the authority.
  void issue(const std::string& name) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = make(name, key, authority_);
    write(name, certificate, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  std::filesystem::path certificate(const std::string& name) const { return folder_ / (name + ".pem"); }
  std::filesystem::path key(const std::string& name) const { return folder_ / (name + ".key"); }

 private:
  X509* make(const std::string& name, EVP_PKEY* key, X509* issuer) {
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key);
    X509_NAME* const subject = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(made, issuer == nullptr ? subject : X509_get_subject_name(issuer));
    extend(made, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    if (issuer != nullptr) extend(made, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    X509_sign(made, authority_key_, EVP_sha256());
    return made;
  }
  static void extend(X509* certificate, int kind, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  void write(const std::string& name, X509* certificate, EVP_PKEY* private_key) {
    std::FILE* file = std::fopen(this->certificate(name).c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key(name).c_str(), "w");
    PEM_write_PrivateKey(file, private_key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }

  std::filesystem::path folder_;
  EVP_PKEY* authority_key_ = nullptr;
  X509* authority_ = nullptr;
  long serial_ = 0;
};

}  // namespace pinflow::net
