#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace pinflow::access {

// What a caller may take each second; what is not set is not limited.
struct RateLimits {
  std::optional<std::uint64_t> requests;
  std::optional<std::uint64_t> bytes;  // Of request bodies, as sent.
  std::optional<std::uint64_t> records;
  bool any() const { return requests || bytes || records; }
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

// Why a request has to wait.
struct Overdrawn {
  std::string_view what;  // "requests", "bytes" or "records".
  std::uint64_t limit = 0;
  std::chrono::milliseconds wait{};  // Until a request is let in again, if nothing else is spent meanwhile.
};

// Holds one caller to its rates by a token bucket each, full at first and as large as one second's worth. How many bytes and records a
// request has is known only when it is being served, so these are spent afterwards and may overdraw their bucket: the next
// request then waits until the debt is paid. Safe from any thread; `clock` must outlive it. Memory: this object, whatever is asked.
class Allowance final {
 public:
  Allowance(const RateLimits& limits, const Clock& clock);
  // Lets a request in and counts it, or says how long it has to wait; then nothing is counted.
  std::optional<Overdrawn> admit();
  void spend_bytes(std::uint64_t count) { spend(bytes_, count); }
  void spend_records(std::uint64_t count) { spend(records_, count); }
  bool limits_bytes() const { return bytes_.rate > 0; }

 private:
  struct Bucket {
    double rate = 0;  // 0: no limit.
    double left = 0;
  };
  static Bucket bucket(const std::optional<std::uint64_t>& rate);
  void refill();
  void spend(Bucket& bucket, std::uint64_t count);
  static std::optional<Overdrawn> lack(const Bucket& bucket, double need, std::string_view what);

  const Clock& clock_;
  std::mutex mutex_;
  SteadyTime filled_;
  Bucket requests_;
  Bucket bytes_;
  Bucket records_;
};

}  // namespace pinflow::access
