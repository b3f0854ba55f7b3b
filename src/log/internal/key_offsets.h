#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "log/log.h"

namespace pinflow::log {

// A hash of 128 bits that nobody can aim at without the secret (SipHash-2-4-128).
using KeyHash = std::array<std::uint64_t, 2>;
KeyHash hash_key(std::string_view key, const KeyHash& secret);

// The newest offset of each key, by a hash of the key alone: 24 bytes a key whatever its length, in at most `capacity` keys. With 128 bits
// and a secret of its own, two keys meet less often than a disk lies. Owned by one thread; it grows as needed, up to 64 bytes a key.
class KeyOffsets final {
 public:
  KeyOffsets(std::size_t capacity, Random& random);

  // Notes that the key has a record at `offset`, later than any before. False: no more keys fit; nothing was noted.
  bool put(std::string_view key, Offset offset);
  std::optional<Offset> find(std::string_view key) const;
  std::size_t size() const { return size_; }

 private:
  struct Entry {
    KeyHash hash{};
    std::int64_t offset = -1;  // -1: free.
  };
  Entry& place_of(const KeyHash& hash);
  void grow();

  const std::size_t capacity_;
  const KeyHash secret_;
  std::size_t size_ = 0;
  std::vector<Entry> entries_;  // A power of two, open addressing, at most two thirds full.
};

}  // namespace pinflow::log
