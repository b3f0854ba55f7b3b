#include "sink/object_name.h"

#include <charconv>

#include <fmt/format.h>

namespace pinflow::sink {

namespace {

template <class Number>
std::optional<Number> read_number(std::string_view digits) {
  Number value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return std::nullopt;
  return value;
}

bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.substr(p).find_first_not_of('*') == std::string_view::npos;
}

}  // namespace

std::string object_folder(const log::TopicPartition& partition) {
  return fmt::format("topics/{}/partition={}/", partition.topic, partition.partition);
}

std::string object_name(const log::TopicPartition& partition, log::Offset first) {
  return fmt::format("{}{}+{}+{:010}.json", object_folder(partition), partition.topic, partition.partition, first);
}

std::optional<ObjectName> parse_object_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t last = name.rfind('+');
  if (slash == name.npos || last == name.npos || last == 0 || !name.ends_with(".json")) return std::nullopt;
  const std::size_t middle = name.rfind('+', last - 1);
  if (middle == name.npos || middle < slash) return std::nullopt;
  const auto partition = read_number<std::int32_t>(name.substr(middle + 1, last - middle - 1));
  const auto first = read_number<std::int64_t>(name.substr(last + 1, name.size() - 5 - last - 1));
  if (!partition || !first) return std::nullopt;
  ObjectName parsed{{std::string(name.substr(slash + 1, middle - slash - 1)), log::PartitionId(*partition)},
                    log::Offset(*first)};
  if (object_name(parsed.partition, parsed.first) != name) return std::nullopt;
  return parsed;
}

std::string identity_name(std::string_view topic) {
  return fmt::format("pinflow/sink/{}.id", topic);
}

bool matches(std::string_view pattern, std::string_view topic) {
  if (topic.starts_with("__") && !pattern.starts_with("__")) return false;
  return glob(pattern, topic);
}

}  // namespace pinflow::sink
