#include "doors/kinesis/conversion.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "base/base64.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::size_t kMaxEcho = 64 << 10;
constexpr std::string_view kListText = "Start of list found where not expected";
constexpr std::string_view kStructureText = "Start of structure or map found where not expected.";

std::string_view java_class(Found found) {
  switch (found) {
    case Found::kBoolean:
      return "java.lang.Boolean";
    case Found::kNumber:
      return "com.amazon.coral.value.json.numbers.TruncatingBigNumber";
    case Found::kString:
      return "java.lang.String";
    case Found::kBytes:
      return "java.nio.HeapByteBuffer";
    case Found::kList:
    case Found::kMap:
      return "";
  }
  return "";
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

// The UTF-16 units of the text: lengths are Java's.
std::size_t java_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }) +
                                  std::ranges::count_if(text, [](char c) { return (c & 0xf8) == 0xf0; }));
}

// Names the whole character at `at`.
std::string_view character_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (text[end] & 0xc0) == 0x80) ++end;
  return text.substr(at, end - at);
}

}  // namespace

std::string mismatch_message(Type expected, Found found, std::string_view text) {
  if (found == Found::kMap) return std::string(kStructureText);
  if (found == Found::kList) return std::string(kListText);
  const auto refused = [&](std::string_view target) {
    return fmt::format("class {} can not be converted to {}", java_class(found), target);
  };
  switch (expected) {
    case Type::kString:
      return refused("an String");
    case Type::kInteger:
      return refused("an Integer");
    case Type::kBoolean:
      if (found == Found::kString) {
        return fmt::format("'{}' can not be converted to an Boolean", to_upper(echoed(text)));
      }
      return refused("an Boolean");
    case Type::kBlob:
      return refused("a Blob");
    case Type::kTimestamp:
      return refused("milliseconds since epoch");
    case Type::kList:
      return "Expected list or null";
    case Type::kMap:
      return "Expected map or null";
    case Type::kStructure:
      return "Expected null";
  }
  return "";
}

std::expected<std::string, std::string> blob_of(std::string_view text) {
  auto decoded = base64_decode(text);
  if (decoded) return std::move(*decoded);
  const auto problem = [&](std::string_view what) {
    return std::unexpected(fmt::format("'{}' can not be converted to a Blob: {}", echoed(text), what));
  };
  if (const std::size_t length = java_length(text); length % 4 != 0) {
    return problem(fmt::format("Base64 encoded length is expected a multiple of 4 bytes but found: {}", length));
  }
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto padding = text.find('=');
  auto at = text.find_first_not_of(kAlphabet);
  // Padding is only wrong where something else follows.
  if (at == padding && at != std::string_view::npos && text.find_first_not_of('=', at) == std::string_view::npos) {
    at = std::string_view::npos;
  }
  if (at != std::string_view::npos) {
    return problem(fmt::format("Invalid Base64 character: '{}'", character_at(text, at)));
  }
  return problem("Invalid last non-pad Base64 character dectected");
}

std::int64_t integer_of(std::int64_t number) {
  using Limits = std::numeric_limits<std::int32_t>;
  return std::clamp<std::int64_t>(number, Limits::min(), Limits::max());
}

std::int64_t integer_of(double number) {
  if (std::isnan(number)) return 0;
  return integer_of(static_cast<std::int64_t>(std::clamp(std::floor(number), -1e10, 1e10)));
}

WallTime time_of_milliseconds(std::int64_t milliseconds) {
  constexpr std::int64_t kMost = 10'000'000'000'000'000;  // Far off, and safe to calculate with.
  return WallTime(std::chrono::milliseconds(std::clamp(milliseconds, -kMost, kMost)));
}

WallTime time_of_seconds(double seconds) {
  if (std::isnan(seconds)) return {};
  return time_of_milliseconds(std::llround(std::clamp(seconds, -1e15, 1e15) * 1000));
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    constexpr std::uint64_t kHigh = 0x8080'8080'8080'8080;
    std::uint64_t eight = 0;
    if (i + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + i, 8);
      if ((eight & kHigh) == 0) {
        i += 8;
        continue;
      }
    }
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return false;
    // The second byte is bounded where a shorter form, a surrogate or a point past the last would begin.
    const auto second = static_cast<unsigned char>(text[i + 1]);
    const unsigned from = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned to = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < from || second > to) return false;
    for (std::size_t k = 2; k < length; ++k) {
      if ((text[i + k] & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::string_view echoed(std::string_view text) {
  if (text.size() <= kMaxEcho) return text;
  std::size_t size = kMaxEcho;
  while (size > 0 && (text[size] & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace pinflow::doors::kinesis
