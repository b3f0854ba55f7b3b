#include "live/query_reader.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/names.h"

namespace pinflow::live {

namespace {
constexpr std::size_t kShown = 100;  // Bytes of a wrong value that the answer repeats.

// "a, b or c"
template <class Words>
std::string listed(const Words& words, std::string_view last_join) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last_join : ", ";
    out += fmt::format("{}", words[i]);
  }
  return out;
}

std::string_view shown(std::string_view value) {
  return value.substr(0, kShown);
}
}  // namespace

std::size_t QueryReader::count(std::string_view name, std::size_t otherwise, std::size_t most) {
  const std::string* const text = value(name);
  if (text == nullptr) return otherwise;
  if (const auto found = number(*text, most)) return *found;
  complain(fmt::format("{} is a whole number from 1 to {}, not '{}'", name, most, shown(*text)));
  return otherwise;
}

std::size_t QueryReader::one_of(std::string_view name, std::size_t otherwise, std::span<const std::size_t> allowed) {
  const std::string* const text = value(name);
  if (text == nullptr) return otherwise;
  const auto found = number(*text, SIZE_MAX);
  if (found && std::ranges::count(allowed, *found) > 0) return *found;
  complain(fmt::format("{} is {}, not '{}'", name, listed(allowed, " or "), shown(*text)));
  return otherwise;
}

std::vector<bool> QueryReader::some_of(std::string_view name, std::span<const std::string_view> words) {
  const std::string* const text = value(name);
  if (text == nullptr) return {};
  std::vector<bool> given(words.size());
  for (std::size_t from = 0; from <= text->size();) {
    const std::size_t comma = std::min(text->find(',', from), text->size());
    const std::string_view item = std::string_view(*text).substr(from, comma - from);
    const auto found = std::ranges::find(words, item);
    if (found == words.end()) {
      complain(fmt::format("{} is one or more of {}, with commas between them; not '{}'", name, listed(words, " and "),
                           shown(item)));
      return {};
    }
    given[static_cast<std::size_t>(found - words.begin())] = true;
    from = comma + 1;
  }
  return given;
}

std::optional<std::string> QueryReader::text(std::string_view name) {
  const std::string* const text = value(name);
  if (text == nullptr) return std::nullopt;
  if (text->empty()) complain(fmt::format("{} is empty; leave it out to ask about all", name));
  return *text;
}

std::vector<std::string> QueryReader::texts(std::string_view name, std::size_t most) {
  allowed_.emplace_back(name);
  std::vector<std::string> all;
  for (const auto& [given, text] : query_) {
    if (given != name) continue;
    if (text.empty()) complain(fmt::format("{} is empty; leave it out", name));
    all.push_back(text);
  }
  if (all.size() > most) complain(fmt::format("{} may be given {} times at most", name, most));
  return all;
}

Result<void> QueryReader::finish() const {
  for (const auto& [name, text] : query_) {
    if (std::ranges::count(allowed_, name) > 0) continue;
    if (allowed_.empty())
      return fail(ErrorCode::kInvalid, fmt::format("no parameters are taken here, such as '{}'", shown(name)));
    const auto meant = nearest(name, allowed_);
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no parameter here{}; allowed are {}", shown(name),
                            meant ? fmt::format(" (did you mean {}?)", *meant) : "", listed(allowed_, " and ")));
  }
  if (complaint_) return fail(ErrorCode::kInvalid, *complaint_);
  return {};
}

// The value of a parameter that may be there once.
const std::string* QueryReader::value(std::string_view name) {
  allowed_.emplace_back(name);
  const std::string* found = nullptr;
  for (const auto& [given, text] : query_) {
    if (given != name) continue;
    if (found != nullptr) complain(fmt::format("{} is given twice; give it once", name));
    found = &text;
  }
  return found;
}

std::optional<std::size_t> QueryReader::word(std::string_view name, std::span<const std::string_view> words) {
  const std::string* const text = value(name);
  if (text == nullptr) return std::nullopt;
  const auto found = std::ranges::find(words, *text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  complain(fmt::format("{} is {}, not '{}'", name, listed(words, " or "), shown(*text)));
  return std::nullopt;
}

std::optional<std::size_t> QueryReader::number(std::string_view text, std::size_t most) const {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > most) return std::nullopt;
  return number;
}

void QueryReader::complain(std::string message) {
  if (!complaint_) complaint_ = std::move(message);
}

}  // namespace pinflow::live
