#include "doors/kinesis/throttle.h"

#include <algorithm>

namespace pinflow::doors::kinesis {

namespace {
constexpr std::int64_t kWriteBytes = 1 << 20;
constexpr std::int64_t kWriteRecords = 1000;
constexpr std::int64_t kReads = 5;
constexpr std::int64_t kReadBytes = 2 << 20;
constexpr __int128 kSecond = 1'000'000'000;
constexpr std::chrono::minutes kForgetAfter{1};
}  // namespace

void Throttle::Bucket::fill(SteadyTime now, std::int64_t rate) {
  const __int128 full = kSecond * rate;
  if (!used) {
    used = true;
    left = full;
  } else {
    const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(now - since).count();
    left = std::min(full, left + static_cast<__int128>(passed) * rate);
  }
  since = now;
}

bool Throttle::Bucket::has(std::int64_t units) const {
  return left >= kSecond * units;
}

void Throttle::Bucket::take(std::int64_t units) {
  left -= kSecond * units;
}

Throttle::Limits& Throttle::of(const ShardKey& shard) {
  return shards_[{shard.stream.bytes, shard.shard}];
}

bool Throttle::write(const ShardKey& shard, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  forget_idle(now);
  Limits& limits = of(shard);
  limits.write_bytes.fill(now, kWriteBytes);
  limits.write_records.fill(now, kWriteRecords);
  // A record that is larger than a second's worth, as streams may allow, takes a full bucket and leaves a debt.
  const auto units = static_cast<std::int64_t>(bytes);
  if (!limits.write_bytes.has(std::min(units, kWriteBytes)) || !limits.write_records.has(1)) return false;
  limits.write_bytes.take(units);
  limits.write_records.take(1);
  return true;
}

bool Throttle::begin_read(const ShardKey& shard) {
  const std::scoped_lock lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  forget_idle(now);
  Limits& limits = of(shard);
  limits.reads.fill(now, kReads);
  limits.read_bytes.fill(now, kReadBytes);
  if (now < limits.blocked_until || !limits.reads.has(1) || limits.read_bytes.left <= 0) return false;
  limits.reads.take(1);
  return true;
}

void Throttle::end_read(const ShardKey& shard, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  Limits& limits = of(shard);
  const auto units = static_cast<std::int64_t>(bytes);
  limits.read_bytes.fill(clock_.steady_now(), kReadBytes);
  limits.read_bytes.take(units);
  // As AWS says it: after 10 MiB in one call, calls in the next 5 seconds fail.
  if (units > kReadBytes)
    limits.blocked_until = clock_.steady_now() + std::chrono::nanoseconds(units * 1'000'000'000 / kReadBytes);
}

bool Throttle::call(const std::string& name, std::int64_t per_second) {
  const std::scoped_lock lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  forget_idle(now);
  Bucket& bucket = calls_[name];
  bucket.fill(now, per_second);
  if (!bucket.has(1)) return false;
  bucket.take(1);
  return true;
}

// After a minute every bucket is full again.
void Throttle::forget_idle(SteadyTime now) {
  if (now - last_look_ < kForgetAfter) return;
  last_look_ = now;
  std::erase_if(calls_, [&](const auto& entry) { return now - entry.second.since > kForgetAfter; });
  std::erase_if(shards_, [&](const auto& entry) {
    const Limits& limits = entry.second;
    const auto last = std::max(limits.write_bytes.since, limits.read_bytes.since);
    return now - last > kForgetAfter && now > limits.blocked_until;
  });
}

}  // namespace pinflow::doors::kinesis
