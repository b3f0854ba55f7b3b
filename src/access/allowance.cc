#include "access/allowance.h"

#include <algorithm>
#include <cmath>

namespace pinflow::access {

Allowance::Bucket Allowance::bucket(const std::optional<std::uint64_t>& rate) {
  if (!rate) return {};
  // A limit of nothing a second would never let anything in, nor say when: it is read as the least limit.
  const auto size = static_cast<double>(std::max<std::uint64_t>(*rate, 1));
  return {size, size};
}

Allowance::Allowance(const RateLimits& limits, const Clock& clock)
    : clock_(clock),
      filled_(clock.steady_now()),
      requests_(bucket(limits.requests)),
      bytes_(bucket(limits.bytes)),
      records_(bucket(limits.records)) {}

void Allowance::refill() {
  const SteadyTime now = clock_.steady_now();
  const double seconds = std::chrono::duration<double>(now - filled_).count();
  filled_ = now;
  for (Bucket* each : {&requests_, &bytes_, &records_}) {
    each->left = std::min(each->rate, each->left + each->rate * seconds);
  }
}

std::optional<Overdrawn> Allowance::lack(const Bucket& bucket, double need, std::string_view what) {
  if (bucket.rate == 0 || bucket.left >= need) return std::nullopt;
  const double wait = std::ceil((need - bucket.left) / bucket.rate * 1000);
  constexpr double kLongest = 86'400'000;  // What a day does not pay off is told as a day.
  return Overdrawn{what, static_cast<std::uint64_t>(bucket.rate),
                   std::chrono::milliseconds(static_cast<std::int64_t>(std::clamp(wait, 1.0, kLongest)))};
}

std::optional<Overdrawn> Allowance::admit() {
  const std::scoped_lock lock(mutex_);
  refill();
  // One of each: a rounding error less than that is no reason to wait.
  constexpr double kOne = 1 - 1e-6;
  std::optional<Overdrawn> worst;
  for (const auto& lacking :
       {lack(requests_, kOne, "requests"), lack(bytes_, kOne, "bytes"), lack(records_, kOne, "records")}) {
    if (lacking && (!worst || lacking->wait > worst->wait)) worst = lacking;
  }
  if (!worst && requests_.rate > 0) requests_.left -= 1;
  return worst;
}

void Allowance::spend(Bucket& bucket, std::uint64_t count) {
  if (bucket.rate == 0) return;
  const std::scoped_lock lock(mutex_);
  refill();
  bucket.left -= static_cast<double>(count);
}

}  // namespace pinflow::access
