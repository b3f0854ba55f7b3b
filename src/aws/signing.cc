#include "aws/signing.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/canonical.h"
#include "aws/digest.h"

namespace pinflow::aws {

namespace {

std::string join(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ";").append(name);
  return out;
}

}  // namespace

std::string format_amz_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::optional<WallTime> parse_amz_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t count) -> int {
    int value = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const int year = number(0, 4);
  const int month = number(4, 2);
  const int day = number(6, 2);
  const int hour = number(9, 2);
  const int minute = number(11, 2);
  const int second = number(13, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || month < 0 || day < 0 || !date.ok()) return std::nullopt;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  return WallTime(std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                  std::chrono::seconds(second));
}

std::string canonical_request(const SignedRequest& request, std::span<const std::string> signed_headers,
                              std::string_view payload, PathForm form) {
  std::string out(request.method);
  out.append("\n").append(canonical_path(request.path, form));
  out.append("\n").append(canonical_query(parse_query(request.query))).append("\n");
  for (const std::string& name : signed_headers) {
    auto value = canonical_header(request, name);
    if (!value && name == kAuthority) value = canonical_header(request, "host");
    out.append(name).append(":").append(value.value_or("")).append("\n");
  }
  return out.append("\n").append(join(signed_headers)).append("\n").append(payload);
}

std::string signing_key(std::string_view secret, const SigningScope& scope) {
  const std::string day = hmac_sha256(fmt::format("AWS4{}", secret), scope.date);
  return hmac_sha256(hmac_sha256(hmac_sha256(day, scope.region), scope.service), kTerminator);
}

std::string sigv4_signature(std::string_view key, WallTime time, const SigningScope& scope,
                            std::string_view canonical) {
  return to_hex(hmac_sha256(key, fmt::format("{}\n{}\n{}/{}/{}/{}\n{}", kAlgorithm, format_amz_time(time), scope.date,
                                             scope.region, scope.service, kTerminator, to_hex(sha256(canonical)))));
}

std::string sign(const SignedRequest& request, const SigningCredentials& credentials, const SigningScope& scope,
                 WallTime time, std::string_view payload, PathForm form) {
  std::vector<std::string> names;
  for (const auto& [name, value] : request.headers) names.push_back(lower(name));
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::string canonical = canonical_request(request, names, payload, form);
  return fmt::format("{} Credential={}/{}/{}/{}/{}, SignedHeaders={}, Signature={}", kAlgorithm, credentials.id,
                     scope.date, scope.region, scope.service, kTerminator, join(names),
                     sigv4_signature(signing_key(credentials.secret, scope), time, scope, canonical));
}

}  // namespace pinflow::aws
