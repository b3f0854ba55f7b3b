#pragma once

#include <atomic>
#include <chrono>

namespace pinflow {

// Wall-clock time as records and files carry it: milliseconds since 1970, UTC.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

// The only source of time below main(). Safe from any thread. Whoever receives a Clock& does not own it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;           // May jump.
  virtual SteadyTime steady_now() const = 0;  // Never goes back; for durations and deadlines.
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady_now() const override;
};

// A clock that moves only when a test says so.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::milliseconds(1'700'000'000'000)));
  WallTime now() const override;
  SteadyTime steady_now() const override;
  void advance(std::chrono::milliseconds by);
  // Moves wall time alone, as an operator or NTP would.
  void jump_wall(std::chrono::milliseconds by);

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> steady_ms_{0};
};

}  // namespace pinflow
