#include "base/clock.h"

namespace pinflow {

using std::chrono::milliseconds;

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}
SteadyTime SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

ManualClock::ManualClock(WallTime start) : wall_ms_(start.time_since_epoch().count()) {}
WallTime ManualClock::now() const {
  return WallTime(milliseconds(wall_ms_.load()));
}
SteadyTime ManualClock::steady_now() const {
  return SteadyTime(milliseconds(steady_ms_.load()));
}
void ManualClock::advance(milliseconds by) {
  wall_ms_ += by.count();
  steady_ms_ += by.count();
}
void ManualClock::jump_wall(milliseconds by) {
  wall_ms_ += by.count();
}

}  // namespace pinflow
