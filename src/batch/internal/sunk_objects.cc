#include "batch/internal/sunk_objects.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sink/object_line.h"

namespace pinflow::batch::internal {

namespace {

void read_line(std::string_view line, const records::Source& source, records::RawBatch& rows,
               records::DeadLetters& dead_letters) {
  if (!sink::is_escaped(line)) {
    if (const auto added = rows.add(line, source); !added)
      dead_letters.add(source, rows.kind(), added.error().message, line);
    return;
  }
  const Result<std::optional<std::string>> value = sink::unescape(line);
  if (!value) {
    dead_letters.add(source, rows.kind(), value.error().message, line);
  } else if (!*value) {
    dead_letters.add(source, rows.kind(), "the record has no value", std::nullopt);
  } else if (const auto added = rows.add(**value, source); !added) {
    dead_letters.add(source, rows.kind(), added.error().message, **value);
  }
}

}  // namespace

Result<ObjectList> list_objects(objects::ObjectStore& store, const std::vector<std::string>& topics) {
  std::vector<std::string> folders;
  for (const std::string& topic : topics) {
    if (!records::kind_of(topic)) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("topic {} is of no kind: the part of its name behind the last '.' or '-' is none of "
                              "pin, geo, user; the batch cannot read it",
                              topic));
    }
    folders.push_back(fmt::format("topics/{}/", topic));
  }
  if (folders.empty()) folders.emplace_back("topics/");
  ObjectList list;
  for (const std::string& folder : folders) {
    TRY_ASSIGN(std::vector<objects::ObjectInfo> found, store.list(folder));
    for (objects::ObjectInfo& info : found) {
      auto name = sink::parse_object_name(info.name);
      const auto kind = name ? records::kind_of(name->partition.topic) : std::nullopt;
      if (!kind) {
        if (list.skipped++ == 0) list.skipped_example = info.name;
        continue;
      }
      list.bytes += info.size;
      list.objects.push_back({std::move(info), *std::move(name), *kind});
    }
  }
  return list;
}

std::uint64_t read_lines(const SunkObject& object, std::string_view bytes, records::RawBatch& rows,
                         records::DeadLetters& dead_letters) {
  records::Source source{object.name.partition.topic, object.name.partition.partition.value(),
                         object.name.first.value(), object.info.modified};
  std::uint64_t lines = 0;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    read_line(bytes.substr(0, end), source, rows, dead_letters);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    ++source.offset;
    ++lines;
  }
  return lines;
}

}  // namespace pinflow::batch::internal
