#include "sink/object_name.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

namespace pinflow::sink {

namespace {

struct Ending {
  std::string_view text;
  Format format;
  Compression compression;
};
// An ending stands before those that it ends in.
constexpr Ending kEndings[] = {{".json.gz", Format::kJson, Compression::kGzip},
                               {".json.zst", Format::kJson, Compression::kZstd},
                               {".json", Format::kJson, Compression::kNone},
                               {".gz.parquet", Format::kParquet, Compression::kGzip},
                               {".zstd.parquet", Format::kParquet, Compression::kZstd},
                               {".snappy.parquet", Format::kParquet, Compression::kSnappy},
                               {".parquet", Format::kParquet, Compression::kNone}};

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

std::string_view ending(Format format, Compression compression) {
  for (const Ending& known : kEndings) {
    if (known.format == format && known.compression == compression) return known.text;
  }
  return ".json";  // JSON lines are never within snappy.
}

std::optional<Packing> parse_ending(std::string_view name) {
  for (const Ending& known : kEndings) {
    if (name.ends_with(known.text)) return Packing{known.format, known.compression};
  }
  return std::nullopt;
}

std::string topic_folder(std::string_view topic, const NameForm& form) {
  return form.topics_dir.empty() ? fmt::format("{}/", topic) : fmt::format("{}/{}/", form.topics_dir, topic);
}

std::string object_folder(const log::TopicPartition& partition, const NameForm& form) {
  return fmt::format("{}partition={}/", topic_folder(partition.topic, form), partition.partition);
}

std::string object_name(const log::TopicPartition& partition, log::Offset first, const NameForm& form) {
  return object_name(ObjectName{partition, first, fmt::format("partition={}", partition.partition)}, form);
}

std::string object_name(const ObjectName& name, const NameForm& form) {
  return fmt::format("{}{}/{}{}{}{}{:0{}}{}", topic_folder(name.partition.topic, form), name.path, name.partition.topic,
                     form.delimiter, name.partition.partition, form.delimiter, name.first, form.pad,
                     ending(name.format, name.compression));
}

std::optional<ObjectName> parse_object_name(std::string_view name, const NameForm& form) {
  const auto* known = std::ranges::find_if(kEndings, [&](const Ending& e) { return name.ends_with(e.text); });
  const std::size_t slash = name.rfind('/');
  if (slash == name.npos || known == std::end(kEndings)) return std::nullopt;
  const std::string_view stem = name.substr(0, name.size() - known->text.size());
  const std::size_t last = stem.rfind(form.delimiter);
  if (last == name.npos || last <= slash + 1) return std::nullopt;
  const std::size_t middle = stem.rfind(form.delimiter, last - 1);
  if (middle == name.npos || middle <= slash) return std::nullopt;
  const auto partition =
      read_number<std::int32_t>(stem.substr(middle + form.delimiter.size(), last - middle - form.delimiter.size()));
  const auto first = read_number<std::int64_t>(stem.substr(last + form.delimiter.size()));
  if (!partition || !first) return std::nullopt;
  const std::string_view topic = name.substr(slash + 1, middle - slash - 1);
  const std::string folder = topic_folder(topic, form);
  if (!name.starts_with(folder) || folder.size() >= slash) return std::nullopt;
  ObjectName parsed{{std::string(topic), log::PartitionId(*partition)},
                    log::Offset(*first),
                    std::string(name.substr(folder.size(), slash - folder.size())),
                    known->format,
                    known->compression};
  const bool default_path = parsed.path.starts_with("partition=") && !parsed.path.contains('/');
  if (default_path && read_number<std::int32_t>(parsed.path.substr(10)) &&
      parsed.path != fmt::format("partition={}", *partition))
    return std::nullopt;  // Moved into the folder of another partition.
  if (object_name(parsed, form) != name) return std::nullopt;
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
