#include "aws/hash_key.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/check.h"

namespace pinflow::aws {

struct KeyHasher::Digest {
  EVP_MD* md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

KeyHasher::KeyHasher() : digest_(std::make_unique<Digest>()) {
  CHECK(digest_->md5 != nullptr && digest_->context != nullptr,
        "OpenSSL gives no MD5; Kinesis hashes its partition keys with it");
}

KeyHasher::~KeyHasher() {
  EVP_MD_CTX_free(digest_->context);
  EVP_MD_free(digest_->md5);
}

HashKey KeyHasher::operator()(std::string_view partition_key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  const bool good = EVP_DigestInit_ex(digest_->context, digest_->md5, nullptr) == 1 &&
                    EVP_DigestUpdate(digest_->context, partition_key.data(), partition_key.size()) == 1 &&
                    EVP_DigestFinal_ex(digest_->context, bytes.data(), &length) == 1;
  CHECK(good && length == 16, "MD5 of a partition key");
  HashKey key = 0;
  for (std::size_t i = 0; i < 16; ++i) key = key << 8 | bytes[i];
  return key;
}

std::string to_decimal(HashKey key) {
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(key % 10));
    key /= 10;
  } while (key != 0);
  std::ranges::reverse(out);
  return out;
}

std::optional<HashKey> parse_hash_key(std::string_view text) {
  if (text.empty()) return std::nullopt;
  HashKey key = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<HashKey>(c - '0');
    if (key > (kLastHashKey - digit) / 10) return std::nullopt;
    key = key * 10 + digit;
  }
  return key;
}

}  // namespace pinflow::aws
