#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/strong.h"
#include "config/config.h"

namespace pinflow::config {

// How each type of setting is spelled: 8082, true, "10MiB", "250ms" (also s, m, h, d); an optional one without
// value is "unlimited". parse_value fails with what is expected.
Result<void> parse_value(std::string_view text, std::string& into);
Result<void> parse_value(std::string_view text, std::filesystem::path& into);
Result<void> parse_value(std::string_view text, Secret& into);
Result<void> parse_value(std::string_view text, bool& into);
Result<void> parse_value(std::string_view text, std::uint16_t& into);
Result<void> parse_value(std::string_view text, std::int32_t& into);  // Positive.
Result<void> parse_value(std::string_view text, std::int64_t& into);  // Positive.
Result<void> parse_value(std::string_view text, ByteCount& into);
Result<void> parse_value(std::string_view text, std::chrono::milliseconds& into);
template <class T>
Result<void> parse_value(std::string_view text, std::optional<T>& into) {
  if (text == "unlimited") {
    into.reset();
    return {};
  }
  if (auto parsed = parse_value(text, into.emplace()); !parsed)
    return fail(ErrorCode::kInvalid, parsed.error().message + " (or 'unlimited')");
  return {};
}

std::string print_value(const std::string& value);
std::string print_value(const std::filesystem::path& value);
std::string print_value(const Secret& value);  // Whether there is one.
std::string print_value(bool value);
std::string print_value(std::uint16_t value);
std::string print_value(std::int32_t value);
std::string print_value(std::int64_t value);
std::string print_value(ByteCount value);
std::string print_value(std::chrono::milliseconds value);
template <class T>
std::string print_value(const std::optional<T>& value) {
  return value ? print_value(*value) : "unlimited";
}

}  // namespace pinflow::config
