#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinflow::live {

// Reads the parameters of one query string, strictly: each that is asked for becomes an allowed one; finish() refuses all others,
// those given twice, and values that are not allowed, in words that name what is. Used by one thread; `query` must outlive it.
class QueryReader final {
 public:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  explicit QueryReader(const Pairs& query) : query_(query) {}

  // A whole number from 1 to `most`.
  std::size_t count(std::string_view name, std::size_t otherwise, std::size_t most);
  // One of the numbers.
  std::size_t one_of(std::string_view name, std::size_t otherwise, std::span<const std::size_t> allowed);
  // One of the words; gives what stands with it.
  template <class Value>
  Value one_of(std::string_view name, Value otherwise, std::span<const std::pair<std::string_view, Value>> words) {
    std::vector<std::string_view> names;
    for (const auto& [word, value] : words) names.push_back(word);
    const auto found = word(name, names);
    return found ? words[*found].second : otherwise;
  }
  // Some of the words, with commas between them: for each whether it is there. Empty: the parameter is not.
  std::vector<bool> some_of(std::string_view name, std::span<const std::string_view> words);
  // Any text but the empty one.
  std::optional<std::string> text(std::string_view name);
  // A parameter that may be given up to `most` times.
  std::vector<std::string> texts(std::string_view name, std::size_t most);

  // What is wrong with the query string, if something is. kInvalid.
  Result<void> finish() const;

 private:
  const std::string* value(std::string_view name);
  std::optional<std::size_t> word(std::string_view name, std::span<const std::string_view> words);
  std::optional<std::size_t> number(std::string_view text, std::size_t most) const;
  void complain(std::string message);

  const Pairs& query_;
  std::vector<std::string> allowed_;
  std::optional<std::string> complaint_;  // The first.
};

}  // namespace pinflow::live
