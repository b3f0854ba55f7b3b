#include "base/base64.h"

#include <array>
#include <cstdint>
#include <cstring>

#include <fmt/core.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pinflow {

namespace {
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The two characters of each 12 bits.
constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kAlphabet[i / 64], kAlphabet[i % 64]};
  return pairs;
}();

// What a character adds to its group of 24 bits, by its place; kBad where it is none of the alphabet.
constexpr std::uint32_t kBad = 0x8000'0000;
constexpr auto kValues = [] {
  std::array<std::array<std::uint32_t, 256>, 4> values{};
  for (unsigned place = 0; place < 4; ++place) {
    values[place].fill(kBad);
    for (std::uint32_t i = 0; i < kAlphabet.size(); ++i) {
      values[place][static_cast<unsigned char>(kAlphabet[i])] = i << (18 - 6 * place);
    }
  }
  return values;
}();

std::uint32_t group_of(const char* text) {
  const auto at = [&](std::size_t place) { return kValues[place][static_cast<unsigned char>(text[place])]; };
  return at(0) | at(1) | at(2) | at(3);
}

#if defined(__x86_64__)
// Both kernels follow the way of W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions"
// (https://arxiv.org/abs/1704.00605). They return how many bytes of their input they used.

__attribute__((target("avx2"))) std::size_t encode_wide(const char* bytes, std::size_t size, char* text) {
  const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,  //
                                          1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  // By class of the six bits: 0 lower case, 1-10 digits, 11 plus, 12 slash, 13 upper case.
  const __m256i shifts =
      _mm256_setr_epi8('a' - 26, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, '+' - 62, '/' - 63, 'A', 0, 0,  //
                       'a' - 26, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, '+' - 62, '/' - 63, 'A', 0, 0);
  std::size_t i = 0;
  for (; i + 28 <= size; i += 24, text += 32) {  // 24 bytes are used, but 28 are read.
    const auto* from = reinterpret_cast<const __m128i*>(bytes + i);
    const auto* behind = reinterpret_cast<const __m128i*>(bytes + i + 12);
    const __m256i in = _mm256_shuffle_epi8(_mm256_set_m128i(_mm_loadu_si128(behind), _mm_loadu_si128(from)), spread);
    // Four groups of six bits in each 32, moved to the front of their bytes by multiplying.
    const __m256i outer =
        _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0fc0'fc00)), _mm256_set1_epi32(0x0400'0040));
    const __m256i inner =
        _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003f'03f0)), _mm256_set1_epi32(0x0100'0010));
    const __m256i sixes = _mm256_or_si256(outer, inner);
    const __m256i upper = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), sixes), _mm256_set1_epi8(13));
    const __m256i kind = _mm256_or_si256(_mm256_subs_epu8(sixes, _mm256_set1_epi8(51)), upper);
    const __m256i out = _mm256_add_epi8(sixes, _mm256_shuffle_epi8(shifts, kind));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(text), out);
  }
  return i;
}

// Stops before a block that has a character outside the alphabet.
__attribute__((target("avx2"))) std::size_t decode_wide(const char* text, std::size_t size, char* bytes) {
  // A character is wrong if a bit stands in both the entry of its low and of its high half: bit 0 for 2x (only + and /), bit 1 for 3x
  // (0-9), bit 2 for 4x and 6x (all but 0), bit 3 for 5x and 7x (0-10), bit 4 for every other high half.
  const __m256i low = _mm256_setr_epi8(
      0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a,  //
      0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
  const __m256i high = _mm256_setr_epi8(
      0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10,  //
      0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  // From a character to its six bits, by high half; that of the slash, which shares 2x with the plus, stands at 1.
  const __m256i shifts =
      _mm256_setr_epi8(0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0,  //
                       0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i order = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,  //
                                         2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i half = _mm256_set1_epi8(0x0f);
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32, bytes += 24) {
    const __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + i));
    const __m256i above = _mm256_and_si256(_mm256_srli_epi32(in, 4), half);
    const __m256i below = _mm256_and_si256(in, half);
    if (_mm256_testz_si256(_mm256_shuffle_epi8(low, below), _mm256_shuffle_epi8(high, above)) == 0) break;
    const __m256i slash = _mm256_cmpeq_epi8(in, _mm256_set1_epi8('/'));
    const __m256i sixes = _mm256_add_epi8(in, _mm256_shuffle_epi8(shifts, _mm256_add_epi8(slash, above)));
    // Two sixes to twelve bits, two of these to 24.
    const __m256i twelves = _mm256_maddubs_epi16(sixes, _mm256_set1_epi32(0x0140'0140));
    const __m256i groups = _mm256_madd_epi16(twelves, _mm256_set1_epi32(0x0001'1000));
    const __m256i out =
        _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, order), _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), _mm256_castsi256_si128(out));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(bytes + 16), _mm256_extracti128_si256(out, 1));
  }
  return i;
}

const bool kWide = __builtin_cpu_supports("avx2");
#else
constexpr bool kWide = false;
std::size_t encode_wide(const char*, std::size_t, char*) {
  return 0;
}
std::size_t decode_wide(const char*, std::size_t, char*) {
  return 0;
}
#endif

void encode(std::string_view bytes, char* text) {
  std::size_t i = kWide ? encode_wide(bytes.data(), bytes.size(), text) : 0;
  text += i / 3 * 4;
  const auto at = [&](std::size_t k) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k])); };
  for (; i + 3 <= bytes.size(); i += 3, text += 4) {
    const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    std::memcpy(text, kPairs[group >> 12].data(), 2);
    std::memcpy(text + 2, kPairs[group & 4095].data(), 2);
  }
  if (i == bytes.size()) return;
  const bool two = i + 2 == bytes.size();
  const std::uint32_t group = at(i) << 16 | (two ? at(i + 1) << 8 : 0U);
  std::memcpy(text, kPairs[group >> 12].data(), 2);
  text[2] = two ? kAlphabet[group >> 6 & 63] : '=';
  text[3] = '=';
}

// Decodes whole groups without padding; returns how many characters before the first group that is not of the alphabet.
std::size_t decode(std::string_view text, char* bytes) {
  std::size_t i = kWide ? decode_wide(text.data(), text.size(), bytes) : 0;
  bytes += i / 4 * 3;
  for (; i < text.size(); i += 4, bytes += 3) {
    const std::uint32_t group = group_of(text.data() + i);
    if ((group & kBad) != 0) return i;
    bytes[0] = static_cast<char>(group >> 16);
    bytes[1] = static_cast<char>(group >> 8 & 0xff);
    bytes[2] = static_cast<char>(group & 0xff);
  }
  return i;
}

std::unexpected<Error> bad_character(std::string_view text, std::size_t at) {
  return fail(ErrorCode::kInvalid, fmt::format("not a base64 character at position {}",
                                               std::min(text.find_first_not_of(kAlphabet, at), text.size())));
}

}  // namespace

// The size that resize_and_overwrite hands to its function is not to be trusted: GCC 12's library gives the capacity where it grows.
void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  const std::size_t after = before + (bytes.size() + 2) / 3 * 4;
  out.resize_and_overwrite(after, [&](char* text, std::size_t) {
    encode(bytes, text + before);
    return after;
  });
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("base64 text must come in groups of 4 characters, not {}", text.size()));
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto whole = text.substr(0, padding > 0 ? text.size() - 4 : text.size());
  std::string bytes;
  std::size_t read = 0;
  const std::size_t size = whole.size() / 4 * 3;
  bytes.resize_and_overwrite(size, [&](char* out, std::size_t) {
    read = decode(whole, out);
    return read == whole.size() ? size : 0;
  });
  if (read < whole.size()) return bad_character(text, read);
  if (padding == 0) return bytes;
  std::array<char, 4> last{'A', 'A', 'A', 'A'};
  std::memcpy(last.data(), text.data() + whole.size(), 4 - padding);
  const std::uint32_t group = group_of(last.data());
  if ((group & kBad) != 0) return bad_character(text, whole.size());
  if ((group & ((1U << (8 * padding)) - 1)) != 0) {
    return fail(ErrorCode::kInvalid, "the last base64 character carries bits that belong to no byte");
  }
  bytes += static_cast<char>(group >> 16);
  if (padding == 1) bytes += static_cast<char>(group >> 8 & 0xff);
  return bytes;
}

}  // namespace pinflow
