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

class Listing {
 public:
  Listing(objects::ObjectStore& store, const LoadedThrough& loaded) : store_(store), loaded_(loaded) {}

  Result<void> add_topic(const std::string& topic) {
    const std::string folder = fmt::format("topics/{}/", topic);
    if (!records::kind_of(topic)) {
      TRY_ASSIGN(const auto met, store_.list(folder, {}, 1));
      for (const objects::ObjectInfo& info : met) skip(info);
      return {};
    }
    TRY_ASSIGN(const auto partitions, store_.folders(folder));
    for (const std::string& partition : partitions) TRY(add_folder(topic, folder + partition + "/"));
    return {};
  }

  ObjectList take() && { return std::move(list_); }

 private:
  Result<void> add_folder(const std::string& topic, const std::string& folder) {
    TRY_ASSIGN(auto found, store_.list(folder, first_unloaded(topic, folder)));
    for (objects::ObjectInfo& info : found) {
      auto name = sink::parse_object_name(info.name);
      const auto kind = name ? records::kind_of(name->partition.topic) : std::nullopt;
      // Folders by field or time have no order of offsets, by which what is new could be told.
      if (!kind || !sink::object_name(*name).starts_with(sink::object_folder(name->partition))) {
        skip(info);
        continue;
      }
      list_.bytes += info.size;
      list_.objects.push_back({std::move(info), *std::move(name), *kind});
    }
    return {};
  }

  // The name behind which the objects lie that are not loaded: an object's name is that of its first offset.
  std::string first_unloaded(const std::string& topic, const std::string& folder) const {
    for (const auto& [partition, through] : loaded_) {
      if (partition.topic == topic && sink::object_folder(partition) == folder)
        return sink::object_name(partition, through);
    }
    return {};
  }

  void skip(const objects::ObjectInfo& info) {
    if (list_.skipped++ == 0) list_.skipped_example = info.name;
  }

  objects::ObjectStore& store_;
  const LoadedThrough& loaded_;
  ObjectList list_;
};

}  // namespace

Result<ObjectList> list_objects(objects::ObjectStore& store, const std::vector<std::string>& topics,
                                const LoadedThrough& loaded) {
  for (const std::string& topic : topics) {
    if (records::kind_of(topic)) continue;
    return fail(ErrorCode::kInvalid,
                fmt::format("topic {} is of no kind: the part of its name behind the last '.' or '-' is none of "
                            "pin, geo, user; the batch cannot read it",
                            topic));
  }
  std::vector<std::string> all = topics;
  if (all.empty()) {
    TRY_ASSIGN(all, store.folders("topics/"));
  }
  Listing listing(store, loaded);
  for (const std::string& topic : all) TRY(listing.add_topic(topic));
  return std::move(listing).take();
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
