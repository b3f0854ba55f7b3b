#include "batch/internal/sunk_objects.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "batch/internal/planned_objects.h"
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

constexpr const char* kNotNamed = "not named as the sink names";
constexpr const char* kNoKind = "of a topic of no kind";
constexpr const char* kNoPlan = "in a folder by field or time, and in no plan of the sink's";

class Listing {
 public:
  Listing(objects::ObjectStore& store, const LoadedThrough& loaded) : store_(store), loaded_(loaded) {}

  Result<void> add_topic(const std::string& topic) {
    const auto kind = records::kind_of(topic);
    if (!kind) {
      TRY_ASSIGN(const auto met, store_.list(sink::topic_folder(topic), {}, 1));
      if (!met.empty()) list_.skipped.add(kNoKind, met.front().name);
      return {};
    }
    TRY_ASSIGN(const auto planned, planned_partitions(topic));
    if (planned.empty()) {
      TRY_ASSIGN(const auto folders, store_.folders(sink::topic_folder(topic)));
      for (const std::string& folder : folders) TRY(add_folder(topic, folder, *kind));
      return {};
    }
    bool begins_late = false;
    for (const log::TopicPartition& partition : planned) {
      PlannedObjects objects(store_, partition, *kind);
      TRY(objects.find(position(partition).plan));
      begins_late |= objects.begins_late() && position(partition).plan == 0;
      // What has no plan was there before the first of the plans that are found here.
      if (position(partition).plan == 0) TRY(add_folder(topic, folder_name(partition), *kind));
      TRY(objects.read());
      add_planned(partition, objects);
    }
    TRY(add_unplanned_partitions(topic, planned, *kind));
    return begins_late ? count_without_plan(topic) : Result<void>();
  }

  ObjectList take() && { return std::move(list_); }

 private:
  static std::string folder_name(const log::TopicPartition& partition) {
    return fmt::format("partition={}", partition.partition);
  }

  Position position(const log::TopicPartition& partition) const {
    const auto found = loaded_.find(partition);
    return found == loaded_.end() ? Position() : found->second;
  }

  static std::optional<log::PartitionId> partition_number(std::string_view digits) {
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return log::PartitionId(number);
  }

  // Those of a topic that have plans, sorted.
  Result<std::vector<log::TopicPartition>> planned_partitions(const std::string& topic) {
    std::set<log::TopicPartition> partitions;
    TRY_ASSIGN(const auto folders, store_.folders(fmt::format("{}{}/", sink::kPlansFolder, topic)));
    for (const std::string& folder : folders) {
      if (const auto number = partition_number(folder)) partitions.insert({topic, *number});
    }
    for (const auto& [partition, position] : loaded_) {
      if (partition.topic == topic && position.plan > 0) partitions.insert(partition);
    }
    return std::vector<log::TopicPartition>(partitions.begin(), partitions.end());
  }

  void add_planned(const log::TopicPartition& partition, PlannedObjects& planned) {
    if (planned.through() > 0) {
      list_.planned[partition].plan = planned.through();
      list_.taken[partition] = planned.taken();
    }
    std::ranges::copy(planned.odd(), std::back_inserter(list_.odd));
    for (SunkObject& object : planned.objects()) {
      list_.bytes += object.info.size;
      list_.objects.push_back(std::move(object));
    }
  }

  // Those of a topic with plans that have none yet. Folders by field may be thousands, so only those by partition are looked for.
  Result<void> add_unplanned_partitions(const std::string& topic, const std::vector<log::TopicPartition>& planned,
                                        records::Kind kind) {
    const std::string prefix = sink::topic_folder(topic) + "partition=";
    for (std::string after;;) {
      TRY_ASSIGN(const auto next, store_.list(prefix, after, 1));
      if (next.empty()) return {};
      const std::size_t begin = sink::topic_folder(topic).size();
      const std::string folder = next.front().name.substr(begin, next.front().name.find('/', begin) - begin);
      // One that has plans was looked at; one of another name is of a field "partition".
      const auto number = partition_number(std::string_view(folder).substr(folder.find('=') + 1));
      if (number && !std::ranges::binary_search(planned, log::TopicPartition{topic, *number}))
        TRY(add_folder(topic, folder, kind));
      after = sink::topic_folder(topic) + folder + "0";  // '0' follows '/': behind all that lies in the folder.
    }
  }

  // The objects of a folder that have no plan.
  Result<void> add_folder(const std::string& topic, const std::string& folder, records::Kind kind) {
    TRY_ASSIGN(auto found, store_.list(sink::topic_folder(topic) + folder + "/", first_unloaded(topic, folder)));
    std::map<log::TopicPartition, std::set<std::string>> plans;
    for (objects::ObjectInfo& info : found) {
      auto name = sink::parse_object_name(info.name);
      if (!name || !sink::object_name(*name).starts_with(sink::object_folder(name->partition))) {
        list_.skipped.add(name ? kNoPlan : kNotNamed, info.name);
        continue;
      }
      const auto [names, is_new] = plans.try_emplace(name->partition);
      if (is_new) {
        // Listed after the objects: a plan is there before its objects are.
        TRY_ASSIGN(names->second, PlannedObjects(store_, name->partition, kind).names_behind(0));
      }
      if (names->second.contains(info.name)) continue;
      list_.bytes += info.size;
      list_.objects.push_back({std::move(info), *std::move(name), kind});
    }
    return {};
  }

  // The name behind which the objects lie that are not loaded: an object's name is that of its first offset.
  std::string first_unloaded(const std::string& topic, const std::string& folder) const {
    for (const auto& [partition, position] : loaded_) {
      if (partition.topic == topic && folder_name(partition) == folder && position.through.value() >= 0)
        return sink::object_name(partition, position.through);
    }
    return {};
  }

  // Once for a store whose first plans are gone: what cannot be read is told.
  Result<void> count_without_plan(const std::string& topic) {
    std::set<std::string> known;
    for (const SunkObject& object : list_.objects) known.insert(object.info.name);
    TRY_ASSIGN(const auto all, store_.list(sink::topic_folder(topic)));
    for (const objects::ObjectInfo& info : all) {
      const auto name = sink::parse_object_name(info.name);
      if (!name || known.contains(info.name) || info.name.starts_with(sink::object_folder(name->partition))) continue;
      list_.skipped.add(kNoPlan, info.name);
    }
    return {};
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
    TRY_ASSIGN(auto planned, store.folders(std::string(sink::kPlansFolder)));
    std::ranges::move(planned, std::back_inserter(all));
    for (const auto& [partition, position] : loaded) all.push_back(partition.topic);
    std::ranges::sort(all);
    const auto same = std::ranges::unique(all);
    all.erase(same.begin(), same.end());
  }
  Listing listing(store, loaded);
  for (const std::string& topic : all) TRY(listing.add_topic(topic));
  return std::move(listing).take();
}

void Skipped::add(const std::string& reason, const std::string& name) {
  Some& some = reasons[reason];
  if (some.count++ == 0) some.example = name;
}

std::uint64_t Skipped::count() const {
  std::uint64_t all = 0;
  for (const auto& [reason, some] : reasons) all += some.count;
  return all;
}

namespace {

std::int64_t count_lines(std::string_view bytes) {
  return std::ranges::count(bytes, '\n') + (bytes.empty() || bytes.back() == '\n' ? 0 : 1);
}

// The offsets of an object's lines, one after another.
class LineOffsets {
 public:
  explicit LineOffsets(const SunkObject& object) : runs_(object.offsets.runs()), at_(object.name.first.value()) {}
  // Leaves the first of them out.
  void skip(std::int64_t count) {
    while (count-- > 0) ++*this;
  }
  std::int64_t operator*() const { return at_; }
  LineOffsets& operator++() {
    if (++at_ == (run_ < runs_.size() ? runs_[run_].end : 0) && ++run_ < runs_.size()) at_ = runs_[run_].begin;
    return *this;
  }

 private:
  const std::vector<sink::OffsetRuns::Run>& runs_;  // None: the offsets follow one another.
  std::size_t run_ = 0;
  std::int64_t at_;
};

}  // namespace

Result<std::uint64_t> read_lines(const SunkObject& object, std::string_view bytes, records::RawBatch& rows,
                                 records::DeadLetters& dead_letters) {
  LineOffsets offset(object);
  if (object.plan > 0) {
    const std::int64_t lost = object.offsets.count() - count_lines(bytes);
    if (lost < 0) return fail(ErrorCode::kInvalid, "more lines than its plan names");
    offset.skip(lost);
  }
  std::uint64_t lines = 0;
  for (; !bytes.empty(); ++offset, ++lines) {
    const records::Source source{object.name.partition.topic, object.name.partition.partition.value(), *offset,
                                 object.info.modified};
    const std::size_t end = bytes.find('\n');
    read_line(bytes.substr(0, end), source, rows, dead_letters);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return lines;
}

}  // namespace pinflow::batch::internal
