#pragma once

#include <chrono>

namespace pinflow::http::internal {

// Holds one HTTP/2 connection to what an honest peer does. Frames that cost the server work and the peer next to nothing are paid for from
// two accounts, which fill with time and with real traffic; an empty account ends the connection. Streams that end by a reset
// before they are answered count whoever resets them: the peer (rapid reset, CVE-2023-44487), or this side because the peer made it so
// (CVE-2025-8671).
class Http2Guard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Http2Guard(Time now) : resets_{kResets, now}, frames_{kFrames, now} {}

  // Each is false if the peer has overdone it.
  bool reset(Time now) { return resets_.take(1, kResetsPerSecond, kResets, now); }
  bool frame(double cost, Time now) { return frames_.take(cost, kFramesPerSecond, kFrames, now); }

  // A request was answered: it earned its reset.
  void answered() { resets_.give(1, kResets); }
  // Data went either way: it earns the window updates, pings and settings that come with it.
  void data() { frames_.give(kFramesOfData, kFrames); }

 private:
  static constexpr double kResets = 200;
  static constexpr double kResetsPerSecond = 20;
  static constexpr double kFrames = 2000;
  static constexpr double kFramesPerSecond = 200;
  static constexpr double kFramesOfData = 4;

  struct Account {
    double tokens;
    Time filled;
    bool take(double cost, double per_second, double most, Time now) {
      give(per_second * std::chrono::duration<double>(now - filled).count(), most);
      filled = now;
      tokens -= cost;
      return tokens >= 0;
    }
    void give(double earned, double most) { tokens = tokens + earned < most ? tokens + earned : most; }
  };
  Account resets_;
  Account frames_;
};

}  // namespace pinflow::http::internal
