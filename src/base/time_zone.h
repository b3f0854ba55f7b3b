#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pinflow {

// A stretch of time, [begin, end), in which clocks of a zone run `offset` before UTC.
struct Stretch {
  std::chrono::sys_seconds begin = std::chrono::sys_seconds::min();
  std::chrono::sys_seconds end = std::chrono::sys_seconds::max();
  std::chrono::seconds offset{0};
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

// A time zone of the IANA database, with all its changes of the clock until 2200 (after that the last offset holds), UTC, or a fixed
// offset. The standard library of the toolchain has none. A value type.
class TimeZone final {
 public:
  using LocalTime = std::chrono::local_time<std::chrono::milliseconds>;

  static TimeZone utc();
  // Reads "Europe/Berlin" from the system's database (TZif of version 2 or later, RFC 8536). "UTC", "GMT", "Z", "" and offsets such as
  // "+05:30" need none. kInvalid: not such a name. kNotFound: no such zone, or no database (the message says which package has it).
  // kCorrupt: the file is damaged.
  static Result<TimeZone> load(const std::string& name, const std::filesystem::path& database = "/usr/share/zoneinfo");
  static Result<TimeZone> parse(const std::string& name, std::string_view bytes);

  const std::string& name() const { return name_; }
  std::size_t stretches() const { return changes_.size() + 1; }
  // The stretch of that number; 0 is before the first change.
  Stretch stretch(std::size_t number) const;
  // The number of the stretch that has this moment.
  std::size_t find(std::chrono::sys_seconds at) const;

  std::chrono::seconds offset_at(WallTime at) const;  // East of Greenwich.
  LocalTime local(WallTime at) const;
  // The earlier of two where clocks were set back; a time that they skipped counts as if they had not yet been set.
  WallTime from_local(LocalTime local) const;

 private:
  struct Change {
    std::chrono::sys_seconds at;
    std::chrono::seconds offset;  // From then on.
  };
  void add(std::chrono::sys_seconds at, std::chrono::seconds offset);

  std::string name_ = "UTC";
  std::chrono::seconds first_{0};  // Offset before all changes.
  std::vector<Change> changes_;    // In order; each changes the offset.
};

}  // namespace pinflow
