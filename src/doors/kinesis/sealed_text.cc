#include "doors/kinesis/sealed_text.h"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/check.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::string_view kHead{"\0\0\0\0\0\0\0\1", 8};
constexpr std::size_t kSealSize = 16;
constexpr std::size_t kPrintSize = 8;
// Behind the seal: print, nonce, issued, offset, detail, shard, kind, length of the name.
constexpr std::size_t kFixedSize = kPrintSize + 4 * 8 + 4 + 1 + 1;
constexpr std::size_t kMostName = 128;

// AWS's iterators are so long, which clients have been seen to check.
std::size_t text_size(std::size_t name) {
  return 152 + (name + 14) / 16 * 16;
}

std::array<unsigned char, 32> digest(std::string_view purpose, const Uuid& topic) {
  std::string bytes(purpose);
  bytes.append(reinterpret_cast<const char*>(topic.bytes.data()), topic.bytes.size());
  std::array<unsigned char, 32> out{};
  unsigned length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, EVP_sha256(), nullptr) == 1 && length == out.size(),
        "OpenSSL gives no SHA-256");
  return out;
}

std::string print_of(const Uuid& topic) {
  const auto hash = digest("pinflow stream", topic);
  return {reinterpret_cast<const char*>(hash.data()), kPrintSize};
}

std::string seal_of(std::string_view bytes, const Uuid& topic) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned length = 0;
  const auto* made = HMAC(EVP_sha256(), topic.bytes.data(), static_cast<int>(topic.bytes.size()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &length);
  CHECK(made != nullptr && length >= kSealSize, "OpenSSL gives no HMAC");
  return {reinterpret_cast<const char*>(out.data()), kSealSize};
}

template <class Number>
void put(std::string& out, Number number) {
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff));
}

template <class Number>
Number take(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(sizeof(Number));
  return static_cast<Number>(number);
}

}  // namespace

std::string stream_id(const Uuid& topic) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  const auto hash = digest("pinflow stream id", topic);
  std::string out;
  for (std::size_t i = 0; i < 24; ++i) out += kDigits[hash[i] % kDigits.size()];
  return out;
}

std::string SealedPosition::seal(const Uuid& topic) const {
  CHECK(stream.size() <= kMostName, "a stream's name has at most 128 characters");
  std::string body = print_of(topic);
  put(body, nonce);
  put(body, issued.time_since_epoch().count());
  put(body, offset);
  put(body, detail);
  put(body, shard);
  put(body, kind);
  put(body, static_cast<std::uint8_t>(stream.size()));
  body += stream;
  body.resize(text_size(stream.size()) - kHead.size() - kSealSize, '\0');
  std::string all(kHead);
  all += seal_of(body, topic);
  all += body;
  return base64_encode(all);
}

std::optional<SealedText> SealedText::read(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  const auto bytes = base64_decode(text);
  if (!bytes || !bytes->starts_with(kHead) || bytes->size() < kHead.size() + kSealSize + kFixedSize)
    return std::nullopt;
  SealedText out;
  out.seal_ = bytes->substr(kHead.size(), kSealSize);
  out.sealed_ = bytes->substr(kHead.size() + kSealSize);
  std::string_view rest = out.sealed_;
  out.print_ = rest.substr(0, kPrintSize);
  rest.remove_prefix(kPrintSize);
  SealedPosition& position = out.position_;
  position.nonce = take<std::uint64_t>(rest);
  position.issued = WallTime(std::chrono::milliseconds(take<std::int64_t>(rest)));
  position.offset = take<std::int64_t>(rest);
  position.detail = take<std::int64_t>(rest);
  position.shard = take<std::int32_t>(rest);
  position.kind = take<std::uint8_t>(rest);
  const std::size_t name = take<std::uint8_t>(rest);
  if (name == 0 || name > kMostName || bytes->size() != text_size(name)) return std::nullopt;
  position.stream = rest.substr(0, name);
  rest.remove_prefix(name);
  const bool padded = std::ranges::all_of(rest, [](char c) { return c == '\0'; });
  if (!padded || position.shard < 0 || position.offset < 0) return std::nullopt;
  return out;
}

bool SealedText::is_of(const Uuid& topic) const {
  return print_ == print_of(topic);
}

bool SealedText::is_sealed_by(const Uuid& topic) const {
  const std::string right = seal_of(sealed_, topic);
  return CRYPTO_memcmp(right.data(), seal_.data(), kSealSize) == 0;
}

}  // namespace pinflow::doors::kinesis
