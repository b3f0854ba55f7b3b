#include "doors/kinesis/shard_map.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/check.h"

namespace pinflow::doors::kinesis {

namespace {
// floor(2^128 / n) without the 129th bit; n is above 1.
HashKey width(std::int32_t shards) {
  const auto n = static_cast<HashKey>(shards);
  return kLastHashKey / n + (kLastHashKey % n == n - 1 ? 1 : 0);
}
}  // namespace

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

HashRange even_range(std::int32_t shards, std::int32_t index) {
  if (shards == 1) return {};
  const HashKey first = width(shards) * static_cast<HashKey>(index);
  return {first, index == shards - 1 ? kLastHashKey : first + width(shards) - 1};
}

std::string shard_id(std::int32_t index) {
  return fmt::format("shardId-{:012}", index);
}

std::optional<std::int32_t> parse_shard_id(std::string_view text) {
  text.remove_prefix(text.find('-') + 1);  // Without '-' nothing is removed: npos + 1 is 0.
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || text.starts_with('-'))
    return std::nullopt;
  return number;
}

}  // namespace pinflow::doors::kinesis
