#include "log/internal/key_offsets.h"

#include <bit>
#include <cstring>

#include "base/check.h"

namespace pinflow::log {
namespace {

constexpr std::size_t kFirstEntries = 1024;

// The state and the rounds of SipHash (Aumasson and Bernstein, 2012).
struct SipState {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void absorb(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
  std::uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return a ^ b ^ c ^ d;
  }
};

std::uint64_t load_little_endian(const char* from, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, bytes);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

}  // namespace

KeyHash hash_key(std::string_view key, const KeyHash& secret) {
  SipState state{secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d ^ 0xee, secret[0] ^ 0x6c7967656e657261,
                 secret[1] ^ 0x7465646279746573};
  const std::uint64_t length = key.size();
  for (; key.size() >= 8; key.remove_prefix(8)) state.absorb(load_little_endian(key.data(), 8));
  state.absorb(load_little_endian(key.data(), key.size()) | length << 56);
  state.c ^= 0xee;
  const std::uint64_t low = state.finish();
  state.b ^= 0xdd;
  return {low, state.finish()};
}

KeyOffsets::KeyOffsets(std::size_t capacity, Random& random)
    : capacity_(capacity), secret_{random(), random()}, entries_(kFirstEntries) {}

KeyOffsets::Entry& KeyOffsets::place_of(const KeyHash& hash) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t at = hash[0] & mask;
  while (entries_[at].offset >= 0 && entries_[at].hash != hash) at = (at + 1) & mask;
  return entries_[at];
}

bool KeyOffsets::put(std::string_view key, Offset offset) {
  const KeyHash hash = hash_key(key, secret_);
  Entry* entry = &place_of(hash);
  if (entry->offset < 0) {
    if (size_ == capacity_) return false;
    if ((size_ + 1) * 3 > entries_.size() * 2) {
      grow();
      entry = &place_of(hash);
    }
    ++size_;
    entry->hash = hash;
  }
  CHECK(entry->offset < offset.value(), "offsets of a key go up");
  entry->offset = offset.value();
  return true;
}

std::optional<Offset> KeyOffsets::find(std::string_view key) const {
  const KeyHash hash = hash_key(key, secret_);
  const std::size_t mask = entries_.size() - 1;
  for (std::size_t at = hash[0] & mask; entries_[at].offset >= 0; at = (at + 1) & mask)
    if (entries_[at].hash == hash) return Offset(entries_[at].offset);
  return std::nullopt;
}

void KeyOffsets::grow() {
  std::vector<Entry> old(entries_.size() * 2);
  std::swap(old, entries_);
  for (const Entry& entry : old)
    if (entry.offset >= 0) place_of(entry.hash) = entry;
}

}  // namespace pinflow::log
