#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace pinflow::access {

// Slows down who guesses: after kFree failures each further one makes its key (an address, and which token it guesses at) wait, a second at
// first and twice as long each time, up to kLongest. A success, or kForget without a failure, clears it. The table is bounded: when it
// is full the key that failed longest ago is forgotten. Owned by one thread; `clock` must outlive it.
class FailedAttempts final {
 public:
  static constexpr int kFree = 5;
  static constexpr std::chrono::seconds kLongest{60};
  static constexpr std::chrono::minutes kForget{10};
  static constexpr std::size_t kMaxKeys = 4096;

  explicit FailedAttempts(const Clock& clock) : clock_(clock) {}
  // How long this key still has to wait; nothing: it may try.
  std::optional<std::chrono::milliseconds> wait(std::string_view key);
  // Counts a failure; how long the next try has to wait, if at all.
  std::optional<std::chrono::milliseconds> failed(std::string_view key);
  void succeeded(std::string_view key);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    int failures = 0;
    SteadyTime last{};
    SteadyTime until{};
  };
  using Entries = std::list<Entry>;  // Who failed last stands first.
  Entries::iterator find(std::string_view key);
  void forget(Entries::iterator entry);

  const Clock& clock_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // Keys are those of the entries.
};

// The part of an address that one party holds: an IPv4 address, the first 64 bits of an IPv6 one.
std::string network_of(std::string_view address);

}  // namespace pinflow::access
