#include "log/internal/partition_files.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace pinflow::log {
namespace {

constexpr std::size_t kDigits = 20;

std::optional<Offset> take_offset(std::string_view& name) {
  if (name.size() < kDigits) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, value);
  if (error != std::errc() || end != name.data() + kDigits || value < 0) return std::nullopt;
  name.remove_prefix(kDigits);
  return Offset(value);
}

struct Name {
  Offset base;
  std::optional<Offset> end;
  std::string_view extension;
};

std::optional<Name> read_name(std::string_view text) {
  const auto base = take_offset(text);
  if (!base) return std::nullopt;
  Name name{*base, std::nullopt, {}};
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    name.end = take_offset(text);
    if (!name.end || *name.end < *base) return std::nullopt;
  }
  name.extension = text;
  return name;
}

// A wider range stands in place of the narrower ones in it, a rewritten segment in place of the plain ones.
bool goes_first(const SegmentFile& a, const SegmentFile& b) {
  if (a.base != b.base) return a.base < b.base;
  return a.end.value_or(Offset(-1)) > b.end.value_or(Offset(-1));
}

std::string stem(const std::string& name) {
  return name.substr(0, name.rfind('.'));
}

}  // namespace

PartitionFiles sort_files(std::vector<disk::Entry> entries, Offset log_start) {
  PartitionFiles files;
  std::vector<SegmentFile> segments;
  std::vector<std::pair<Name, std::string>> beside;
  for (disk::Entry& entry : entries) {
    const auto name = read_name(entry.name);
    if (!name || entry.is_directory) continue;
    if (name->extension == ".log") {
      segments.push_back({name->base, name->end, std::move(entry)});
    } else if (name->extension == ".rewrite") {
      files.leftovers.push_back(entry.name);
    } else if (name->extension == ".index" || name->extension == ".producers") {
      beside.emplace_back(*name, entry.name);
      beside.back().first.extension = name->extension == ".index" ? ".index" : ".producers";
    }
  }
  std::ranges::sort(segments, goes_first);
  std::vector<SegmentFile> standing;
  for (SegmentFile& segment : segments) {
    if (!standing.empty() && segment.base < standing.back().end.value_or(Offset(-1))) {
      files.leftovers.push_back(segment.entry.name);
    } else if (!standing.empty() && standing.back().base == segment.base) {
      files.leftovers.push_back(segment.entry.name);
    } else {
      standing.push_back(std::move(segment));
    }
  }
  std::set<std::string> closed;
  for (std::size_t i = 0; i < standing.size(); ++i) {
    const bool last = i + 1 == standing.size();
    if (!last && standing[i].end.value_or(standing[i + 1].base) <= log_start) {
      files.leftovers.push_back(standing[i].entry.name);
      continue;
    }
    if (!last || standing[i].end) closed.insert(stem(standing[i].entry.name));
    files.segments.push_back(std::move(standing[i]));
  }
  for (const auto& [name, text] : beside) {
    const bool used = name.extension == ".index" ? closed.contains(stem(text))
                                                 : !files.segments.empty() && name.base == files.segments.back().base;
    if (!used) files.leftovers.push_back(text);
  }
  return files;
}

}  // namespace pinflow::log
