#include "batch/internal/planned_objects.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace pinflow::batch::internal {

namespace {

std::string place_of(const log::TopicPartition& partition) {
  return fmt::format("{}/{}", partition.topic, partition.partition);
}

// A name without its offset and ending: what the objects of one folder and partition begin with.
std::string_view stem(std::string_view name) {
  const std::string_view ending = [&] {
    const auto packing = sink::parse_ending(name);
    return packing ? sink::ending(packing->format, packing->compression) : std::string_view();
  }();
  name.remove_suffix(ending.size());
  while (!name.empty() && name.back() >= '0' && name.back() <= '9') name.remove_suffix(1);
  return name;
}

Taken taken_by(const sink::Plan& plan) {
  return {plan.high, plan.open.count()};
}

bool is_there(const SunkObject& object) {
  return object.info.size > 0;  // An object of the sink's holds a line at least.
}

}  // namespace

PlannedObjects::PlannedObjects(objects::ObjectStore& store, log::TopicPartition partition, records::Kind kind)
    : store_(store), partition_(std::move(partition)), kind_(kind), book_(store, partition_) {}

Result<void> PlannedObjects::find(std::int64_t behind) {
  behind_ = through_ = behind;
  TRY_ASSIGN(numbers_, book_.numbers_behind(behind));
  if (begins_late() && behind == 0) {
    odd_.emplace_back(place_of(partition_),
                      fmt::format("the plans before number {} are gone: what they name outside of folders partition=N "
                                  "is not read",
                                  numbers_.front()));
  } else if (begins_late()) {
    odd_.emplace_back(place_of(partition_), fmt::format("the plans {} to {} are gone: what they name is not read",
                                                        behind + 1, numbers_.front() - 1));
  }
  if (behind == 0) return {};
  const auto same = book_.read(behind);
  if (same) taken_ = taken_by(*same);
  if (same || found()) return {};
  if (same.error().code != ErrorCode::kNotFound) return fail(same.error());
  TRY_ASSIGN(const auto last, book_.last());
  if (!last) {
    odd_.emplace_back(place_of(partition_), "all plans of the sink are gone");
    return {};
  }
  return fail(ErrorCode::kCorrupt,
              fmt::format("the plans of {} below {} begin anew: the last is number {}, and the tables have number {}; "
                          "bring the plans back, or run `pinflow batch run --rebuild` to read all objects anew",
                          place_of(partition_), sink::kPlansFolder, last->number, behind));
}

Result<std::set<std::string>> PlannedObjects::names_behind(std::int64_t number) {
  std::set<std::string> names;
  TRY_ASSIGN(const auto numbers, book_.numbers_behind(number));
  for (const std::int64_t each : numbers) {
    TRY_ASSIGN(const sink::Plan plan, book_.read(each));
    for (const sink::Plan::Object& object : plan.objects) names.insert(object.name);
  }
  return names;
}

Result<void> PlannedObjects::read() {
  for (const std::int64_t number : numbers_) {
    TRY_ASSIGN(sink::Plan plan, book_.read(number));
    if (number != numbers_.front()) taken_ = last_taken_;
    last_taken_ = taken_by(plan);
    for (sink::Plan::Object& planned : plan.objects) {
      const auto packing = sink::parse_ending(planned.name);
      if (!packing)
        return fail(ErrorCode::kCorrupt,
                    fmt::format("plan {} names {}, which is no object's name", number, planned.name));
      SunkObject& object = objects_.emplace_back();
      object.info.name = std::move(planned.name);
      object.name = {partition_, planned.offsets.first(), {}, packing->format, packing->compression};
      object.kind = kind_;
      object.plan = number;
      object.offsets = std::move(planned.offsets);
    }
  }
  TRY(describe());
  settle();
  return {};
}

// One listing for each folder that has new objects, from the first of them on.
Result<void> PlannedObjects::describe() {
  std::ranges::sort(objects_, [](const SunkObject& a, const SunkObject& b) { return a.info.name < b.info.name; });
  for (std::size_t begin = 0, end = 0; begin < objects_.size(); begin = end) {
    const std::string folder(stem(objects_[begin].info.name));
    for (end = begin; end < objects_.size() && stem(objects_[end].info.name) == folder;) ++end;
    TRY(describe_folder(begin, end));
  }
  return {};
}

Result<void> PlannedObjects::describe_folder(std::size_t begin, std::size_t end) {
  const std::string& first = objects_[begin].info.name;
  // Nothing that the sink puts sorts between a name without its last letter and the name.
  TRY_ASSIGN(const auto listed,
             store_.list(std::string(stem(first)), first.substr(0, first.size() - 1), end - begin == 1 ? 1 : SIZE_MAX));
  auto found = listed.begin();
  for (std::size_t i = begin; i < end; ++i) {
    const std::string& name = objects_[i].info.name;
    found = std::lower_bound(found, listed.end(), name, [](const objects::ObjectInfo& info, const std::string& wanted) {
      return info.name < wanted;
    });
    if (found != listed.end() && found->name == name) objects_[i].info = *found;
  }
  return {};
}

// Leaves the last plan out if one of its objects is not there yet.
void PlannedObjects::settle() {
  if (!found()) return;
  const std::int64_t last = numbers_.back();
  const auto missing = [](const SunkObject& object) { return !is_there(object); };
  const bool whole = std::ranges::none_of(
      objects_, [&](const SunkObject& object) { return object.plan == last && !is_there(object); });
  through_ = whole ? last : numbers_.size() > 1 ? numbers_[numbers_.size() - 2] : behind_;
  if (whole) taken_ = last_taken_;
  if (!whole) std::erase_if(objects_, [&](const SunkObject& object) { return object.plan == last; });
  const auto count = std::ranges::count_if(objects_, missing);
  if (count == 0) return;
  odd_.emplace_back(
      place_of(partition_),
      fmt::format("{} objects of plans are not there, one of them {}: they were removed, or their records "
                  "had left the log before",
                  count, std::ranges::find_if(objects_, missing)->info.name));
  std::erase_if(objects_, missing);
}

}  // namespace pinflow::batch::internal
