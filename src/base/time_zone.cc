#include "base/time_zone.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "base/internal/posix_rule.h"

namespace pinflow {

using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

constexpr std::size_t kHeader = 44;
constexpr seconds kFarthest(std::int64_t{1} << 40);
constexpr int kLastYear = 2200;
constexpr std::uintmax_t kMostBytes = 1 << 20;
constexpr std::chrono::hours kLargestOffset(26);

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = static_cast<signed char>(bytes[0]) < 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

// Counts of a TZif header, in the order of the file.
struct Header {
  std::size_t ut = 0, standard = 0, leap = 0, time = 0, type = 0, name = 0;
  std::size_t size(std::size_t width) const {
    return time * (width + 1) + type * 6 + name + leap * (width + 4) + standard + ut;
  }
};

std::optional<Header> header(std::string_view bytes) {
  if (bytes.size() < kHeader || !bytes.starts_with("TZif")) return std::nullopt;
  const auto count = [&](std::size_t i) { return static_cast<std::size_t>(big_endian(bytes.substr(20 + i * 4, 4))); };
  const Header found{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (const std::size_t one : {found.ut, found.standard, found.leap, found.time, found.type, found.name})
    if (one > bytes.size()) return std::nullopt;
  if (found.type == 0) return std::nullopt;
  return found;
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.find("..") != std::string_view::npos)
    return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/_+-").find(c) != std::string_view::npos;
  });
}

// Nothing for what is no file: a folder of the database ("Europe") too.
std::optional<std::string> read_zone(const std::filesystem::path& path) {
  std::error_code failed;
  const bool is_file = std::filesystem::is_regular_file(path, failed);
  const std::uintmax_t size = is_file ? std::filesystem::file_size(path, failed) : 0;
  if (failed || size == 0 || size > kMostBytes) return std::nullopt;
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  return bytes;
}

}  // namespace

TimeZone TimeZone::utc() {
  return {};
}

Result<TimeZone> TimeZone::load(const std::string& name, const std::filesystem::path& database) {
  if (name.empty() || name == "UTC" || name == "GMT" || name == "Z") return utc();
  if (const auto offset = internal::parse_offset(name); offset && std::chrono::abs(*offset) <= kLargestOffset) {
    TimeZone zone;
    zone.name_ = name;
    zone.first_ = *offset;
    return zone;
  }
  if (!is_zone_name(name)) {
    return fail(ErrorCode::kInvalid, fmt::format("time zone '{}': expected a name of the IANA database, such as "
                                                 "Europe/Berlin, UTC, or an offset such as +05:30",
                                                 name));
  }
  const auto bytes = read_zone(database / name);
  if (!bytes) {
    return fail(ErrorCode::kNotFound, fmt::format("time zone '{}' is not in {}: names are such as Europe/Berlin and "
                                                  "UTC, and the package tzdata has them",
                                                  name, database.string()));
  }
  return parse(name, *bytes);
}

Result<TimeZone> TimeZone::parse(const std::string& name, std::string_view bytes) {
  const auto damaged = [&](std::string_view what) {
    return fail(ErrorCode::kCorrupt, fmt::format("time zone '{}': its file {}", name, what));
  };
  const auto old = header(bytes);
  if (!old || bytes[4] < '2') return damaged("is no TZif file of version 2 or later");
  if (kHeader + old->size(4) > bytes.size()) return damaged("ends early");
  bytes.remove_prefix(kHeader + old->size(4));
  const auto counts = header(bytes);
  if (!counts || kHeader + counts->size(8) > bytes.size()) return damaged("ends early");
  std::string_view footer = bytes.substr(kHeader + counts->size(8));
  bytes.remove_prefix(kHeader);
  const std::string_view indexes = bytes.substr(counts->time * 8);
  const std::string_view types = indexes.substr(counts->time);
  const auto offset = [&](std::size_t type) { return seconds(big_endian(types.substr(type * 6, 4))); };

  TimeZone zone;
  zone.name_ = name;
  zone.first_ = offset(0);
  sys_seconds last = sys_seconds::min();
  for (std::size_t i = 0; i < counts->time; ++i) {
    const sys_seconds at(seconds(big_endian(bytes.substr(i * 8, 8))));
    const auto type = static_cast<unsigned char>(indexes[i]);
    if (at <= last && i > 0) return damaged("has changes out of order");
    if (type >= counts->type) return damaged("names an offset that it does not have");
    if (at.time_since_epoch() > kFarthest || std::chrono::abs(offset(type)) > kLargestOffset)
      return damaged("has absurd times");
    last = at;
    if (at.time_since_epoch() < -kFarthest) {  // Some compilers of zones begin with the big bang.
      zone.first_ = offset(type);
    } else {
      zone.add(at, offset(type));
    }
  }
  if (footer.size() >= 2 && footer.front() == '\n' && footer.back() == '\n' && footer.size() > 2) {
    footer = footer.substr(1, footer.size() - 2);
    const auto from = std::max(last, sys_seconds(std::chrono::sys_days(std::chrono::year(1970) / 1 / 1)));
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(from));
    const auto more = internal::changes_by_rule(footer, static_cast<int>(date.year()), kLastYear);
    if (!more) return damaged(fmt::format("ends with a rule that is none: {}", footer));
    for (const auto& [at, then] : *more)
      if (at > last) zone.add(at, then);
  }
  return zone;
}

Stretch TimeZone::stretch(std::size_t number) const {
  Stretch found;
  found.offset = number == 0 ? first_ : changes_[number - 1].offset;
  if (number > 0) found.begin = changes_[number - 1].at;
  if (number < changes_.size()) found.end = changes_[number].at;
  return found;
}

std::size_t TimeZone::find(sys_seconds at) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(changes_, at, {}, &Change::at) - changes_.begin());
}

seconds TimeZone::offset_at(WallTime at) const {
  const std::size_t number = find(std::chrono::floor<seconds>(at));
  return number == 0 ? first_ : changes_[number - 1].offset;
}

TimeZone::LocalTime TimeZone::local(WallTime at) const {
  return LocalTime(at.time_since_epoch() + offset_at(at));
}

WallTime TimeZone::from_local(LocalTime local) const {
  const WallTime as_utc(local.time_since_epoch());
  // The offsets on either side of any change near this time.
  const seconds before = offset_at(as_utc - std::chrono::hours(24));
  const seconds behind = offset_at(as_utc + std::chrono::hours(24));
  for (const seconds offset : {std::max(before, behind), std::min(before, behind)}) {
    if (offset_at(as_utc - offset) == offset) return as_utc - offset;
  }
  return as_utc - before;
}

void TimeZone::add(sys_seconds at, seconds offset) {
  const seconds before = changes_.empty() ? first_ : changes_.back().offset;
  if (offset != before) changes_.push_back({at, offset});
}

}  // namespace pinflow
