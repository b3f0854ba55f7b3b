#include "doors/idempotency.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <openssl/evp.h>

#include "access/caller.h"
#include "base/check.h"

namespace pinflow::doors {

namespace {

constexpr std::size_t kMostKey = 255;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is there");
  }
  // Each text with its length before it, so that no two lists of texts run together.
  Sha256& add(std::string_view text) {
    const std::uint64_t size = text.size();
    EVP_DigestUpdate(context_.get(), &size, sizeof size);
    EVP_DigestUpdate(context_.get(), text.data(), text.size());
    return *this;
  }
  std::array<std::uint8_t, 32> take() {
    std::array<std::uint8_t, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

template <std::size_t size>
std::string_view view(const std::array<std::uint8_t, size>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

// The first bytes as a number, the same on every machine: it is stored.
template <class Number>
Number number_of(const std::array<std::uint8_t, 32>& digest) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = static_cast<Number>(number << 8 | digest[i]);
  return number;
}

}  // namespace

Result<std::optional<IdempotencyKey>> IdempotencyKey::of(const http::Request& request) {
  const auto key = request.headers.get(kHeader);
  if (!key) return std::nullopt;
  const auto same_name = [](const auto& field) {
    return std::ranges::equal(
        field.first, kHeader, {}, [](char c) { return c | 0x20; }, [](char c) { return c | 0x20; });
  };
  if (std::ranges::count_if(request.headers.fields(), same_name) > 1)
    return fail(ErrorCode::kInvalid, "Idempotency-Key is there twice; send one");
  const bool visible = std::ranges::all_of(*key, [](char c) { return c > ' ' && c < '\x7f'; });
  if (key->empty() || key->size() > kMostKey || !visible)
    return fail(ErrorCode::kInvalid,
                "Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID that is made for this "
                "request and sent again with it");
  IdempotencyKey name;
  name.name_ = Sha256().add(request.caller ? std::string_view(request.caller->name()) : "").add(*key).take();
  return name;
}

log::RequestMark IdempotencyKey::mark(const log::Topic& topic, std::string_view kind, std::string_view content,
                                      std::uint64_t part) const {
  const auto request = Sha256().add(view(name_)).add(view(topic.id.bytes)).add(std::to_string(part)).take();
  return {number_of<std::uint64_t>(request), number_of<std::uint32_t>(Sha256().add(kind).add(content).take())};
}

bool is_other_content(const std::vector<Result<log::Appended>>& results) {
  return std::ranges::any_of(results, [](const auto& one) { return !one && one.error().code == ErrorCode::kConflict; });
}

void mark_replayed(http::Response& response, const std::vector<Result<log::Appended>>& results) {
  if (!results.empty() && std::ranges::all_of(results, [](const auto& one) { return one && one->repeated; }))
    response.headers.add(std::string(IdempotencyKey::kReplayedHeader), "true");
}

}  // namespace pinflow::doors
