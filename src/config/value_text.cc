#include "config/value_text.h"

#include <charconv>

#include <fmt/core.h>

namespace pinflow::config {

namespace {
template <class Number>
Result<void> parse_number(std::string_view text, Number least, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc() || end != text.data() + text.size() || into < least) {
    return fail(ErrorCode::kInvalid, fmt::format("expected a whole number from {} to {}, not '{}'", least,
                                                 std::numeric_limits<Number>::max(), text));
  }
  return {};
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

Result<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units, std::string_view expected) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc()) {
    for (const Unit& unit : units) {
      std::uint64_t product = 0;
      if (suffix == unit.suffix && !__builtin_mul_overflow(number, unit.factor, &product)) return product;
    }
  }
  return fail(ErrorCode::kInvalid, fmt::format("expected {}, not '{}'", expected, text));
}

constexpr Unit kSizes[] = {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}, {"", 1}};
constexpr Unit kDurations[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

// The largest unit that divides the value evenly.
std::string print_with_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && (value != 0 || unit.factor == 1)) {
      return fmt::format("{}{}", value / unit.factor, unit.suffix);
    }
  }
  return fmt::format("{}", value);
}
}  // namespace

Result<void> parse_value(std::string_view text, std::string& into) {
  into = text;
  return {};
}
Result<void> parse_value(std::string_view text, std::filesystem::path& into) {
  into = text;
  return {};
}
Result<void> parse_value(std::string_view text, Secret& into) {
  into.value = text;
  return {};
}
Result<void> parse_value(std::string_view text, bool& into) {
  if (text != "true" && text != "false") {
    return fail(ErrorCode::kInvalid, fmt::format("expected true or false, not '{}'", text));
  }
  into = text == "true";
  return {};
}
Result<void> parse_value(std::string_view text, std::uint16_t& into) {
  return parse_number<std::uint16_t>(text, 0, into);
}
Result<void> parse_value(std::string_view text, std::int32_t& into) {
  return parse_number<std::int32_t>(text, 1, into);
}
Result<void> parse_value(std::string_view text, std::int64_t& into) {
  return parse_number<std::int64_t>(text, 1, into);
}
Result<void> parse_value(std::string_view text, ByteCount& into) {
  TRY_ASSIGN(const std::uint64_t bytes, parse_with_unit(text, kSizes, "a size such as 512KiB, 10MiB or 1GiB"));
  into = ByteCount(bytes);
  return {};
}
Result<void> parse_value(std::string_view text, std::chrono::milliseconds& into) {
  TRY_ASSIGN(const std::uint64_t ms, parse_with_unit(text, kDurations, "a time such as 250ms, 5s, 10m, 1h or 7d"));
  into = std::chrono::milliseconds(ms);
  return {};
}

std::string print_value(const std::string& value) {
  return value;
}
std::string print_value(const std::filesystem::path& value) {
  return value.string();
}
std::string print_value(const Secret& value) {
  return value.value.empty() ? "" : "(not shown)";
}
std::string print_value(bool value) {
  return value ? "true" : "false";
}
std::string print_value(std::uint16_t value) {
  return fmt::format("{}", value);
}
std::string print_value(std::int32_t value) {
  return fmt::format("{}", value);
}
std::string print_value(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string print_value(ByteCount value) {
  return print_with_unit(value.count(), kSizes);
}
std::string print_value(std::chrono::milliseconds value) {
  return print_with_unit(static_cast<std::uint64_t>(value.count()), kDurations);
}

}  // namespace pinflow::config
